/* In place of src/dial/stream.h, for what is explored: the same, with writes so small that a
 * message takes several. */
#include "../../../src/dial/stream.h"

#undef STEADY_WRITE_SIZE
#define STEADY_WRITE_SIZE 512 /* bytes */
