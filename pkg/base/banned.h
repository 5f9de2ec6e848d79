/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that have no safe use here; naming one is a compile error. Each has a bounded or
 * reentrant counterpart in pkg/base.
 *
 * The system headers that declare them come first: a poisoned name may not be declared later.
 */
#pragma once

#ifndef __cplusplus
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Fortified headers make macros of these, which clang refuses to poison. */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat strtok
#pragma GCC poison gmtime localtime ctime asctime atoi atol atoll rand srand system
#endif
