/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of package.yaml share. Threads: any. */
#pragma once

#include "manifest/package.h"
#include "manifest/shape_internal.h"

/* The whole of package.yaml. */
extern const dv_shape dv_package_shape;
