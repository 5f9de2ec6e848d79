/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that Helm 3.22 gives templates: sprig 3.3's without "env" and "expandenv", and its
 * own. They give what Go gives, byte for byte, except:
 *
 *   - "keys" and "values" come in the order of the keys, not in a random one.
 *   - What is random differs, and "now" has no monotonic reading in its text.
 *   - The local zone is UTC, and named zones are unknown (sprig then takes UTC): nothing is read
 *     from the machine. "getHostByName" gives "".
 *   - A list has no room behind its end: "slice" past it fails where Go may show old elements.
 *   - Texts of errors in TOML, X.509 and IPv6 addresses name the fault in fewer words; of several
 *     faults in YAML another may be named.
 *   - A text with U+2028 or U+2029 is quoted in YAML, which go-yaml leaves plain though it reads
 *     them as line ends.
 *   - Infinities and NaN have no YAML in toYamlPretty; structs print there as their JSON, and times
 *     in quotes.
 *   - "merge" of a dict into one that contains itself, and values nested in more than
 *     DV_VAL_DEPTH_MAX levels, fail or are cut; Go exhausts its stack.
 *   - A regular expression sees no character in bytes that are no UTF-8.
 *   - chartutil.Values handed to "set" and the merges keeps its type.
 *
 * Threads: any.
 */
#pragma once

#include "gotemplate/gotemplate.h"

/* For dv_gotemplate_new(); static. */
const dv_function_table *const *dv_helm_functions(void);

/*
 * What "fail" and "required" put around their message, by which Helm finds it in the error of the
 * outermost template.
 */
#define DV_HELM_WARN_START "HELM_ERR_START"
#define DV_HELM_WARN_END "HELM_ERR_END"
/*
 * Appends the error of a parse or a run as Helm prints it: "parse error at (FILE:LINE): MESSAGE",
 * "execution error at (FILE:LINE:COLUMN): MESSAGE" for what "fail" and "required" say, else as it
 * is. message: its whole text, as dv_run_options gives it; empty: the error's own.
 */
void dv_helm_error_add(dv_buf *out, const dv_err *err, dv_str message);
