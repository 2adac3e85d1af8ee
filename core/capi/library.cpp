// The shared library is all of rec_core; this file only gives it a source.
