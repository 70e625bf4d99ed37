"""W&B's GraphQL: the schema, the nodes it shows, the operations it offers."""
