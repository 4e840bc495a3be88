"""What a network can do, whoever wrote it, and how to look at it without a trace."""
