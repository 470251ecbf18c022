"""Runs commands and posts webhooks for the events of calls, off the event thread."""
