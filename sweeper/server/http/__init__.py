"""HTTP: routes, who may, what a request may cost, and the process that serves."""
