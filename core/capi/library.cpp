// The shared library is rec_core, whole; this file only gives it a source.
