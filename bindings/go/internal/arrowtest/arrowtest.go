// Package arrowtest makes Arrow C streams for tests, which may not use cgo themselves.
package arrowtest

// #cgo CFLAGS: -I${SRCDIR}/../../../common/test
// #include "arrow_stream.c"
import "C"

import "unsafe"

// Stream is one batch of the int64 columns user and item, at most 64 rows. There is one stream at a time.
func Stream(users, items []int64) unsafe.Pointer {
	values := func(s []int64) *C.int64_t { return (*C.int64_t)(unsafe.Pointer(unsafe.SliceData(s))) }
	return unsafe.Pointer(C.rec_test_arrow_stream(values(users), values(items), C.int64_t(len(users))))
}

// Releases counts the streams that were released.
func Releases() int { return int(C.rec_test_arrow_releases()) }
