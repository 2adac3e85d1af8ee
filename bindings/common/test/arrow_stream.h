/* An Arrow C stream for the tests of languages without an Arrow library. */
#ifndef RECORE_TEST_ARROW_STREAM_H
#define RECORE_TEST_ARROW_STREAM_H

#include <stdint.h>

/* One batch of the int64 columns "user" and "item", the first 64 of n rows at most. There is one stream at a time. */
struct ArrowArrayStream* rec_test_arrow_stream(const int64_t* users, const int64_t* items, int64_t n);
/* How many streams were released. */
int64_t rec_test_arrow_releases(void);

#endif
