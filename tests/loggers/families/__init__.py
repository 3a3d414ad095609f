"""The set-ups, a file for each family of loggers: each has a list LOGGERS."""
