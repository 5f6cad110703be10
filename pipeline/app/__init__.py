"""What people start: the command line, the daemon, the HTTP API; on top of everything."""
