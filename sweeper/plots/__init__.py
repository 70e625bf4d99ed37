"""What is to be drawn: data turned into what pictures show, for pages and reports alike. Pure."""
