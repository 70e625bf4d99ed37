"""What launches leave on disk: directories, tickets, attempts at runs, failures and what is done about them."""
