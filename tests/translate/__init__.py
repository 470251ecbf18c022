"""Tests of the translator from JavaScript."""
