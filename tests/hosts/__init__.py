"""In programs that change what Python gives: green threads, workers, frozen clocks."""
