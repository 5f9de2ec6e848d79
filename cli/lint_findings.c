/* SPDX-License-Identifier: Apache-2.0 */
#include "lint.h"

#include "base/file.h"
#include "yaml/yaml.h"

static void package_free(void *at)
{
    lint_package *package = at;

    for (size_t i = 0; i < package->versions.n; i++) {
        free(package->versions.at[i].text);
        free(package->versions.at[i].file);
        dv_package_free(package->versions.at[i].package);
    }
    dv_vec_done(&package->versions);
    dv_map_free(package->known);
    free(package->name);
    free(package);
}

void lint_init(lint *l, const char *root)
{
    *l = (lint){.root = root, .packages = dv_map_new(package_free)};
}

void lint_done(lint *l)
{
    for (size_t i = 0; i < l->findings.n; i++) {
        free(l->findings.at[i].file);
        free(l->findings.at[i].message);
    }
    dv_vec_done(&l->findings);
    dv_map_free(l->packages);
}

void lint_add(lint *l, lint_severity severity, const char *rule, char *file, size_t line,
              char *message)
{
    *(severity == LINT_ERROR ? &l->errors : &l->warnings) += 1;
    if (l->findings.n >= LINT_FINDINGS_MAX) {
        free(file);
        free(message);
        return;
    }
    *dv_vec_push(&l->findings) = (lint_finding){file, line, severity, rule, message};
}

/* "line 12: what" → 12 and "what"; 0: no line. */
static size_t cut_line(const char **text)
{
    static const char word[] = "line ";
    dv_str rest = dv_str_of(*text), number;
    uint64_t line = 0;

    if (!dv_str_starts(rest, DV_STR(word)))
        return 0;
    rest = dv_str_cut(dv_str_skip(rest, sizeof(word) - 1), ':', &number);
    dv_err *err = dv_str_u64(number, &line);
    dv_err_free(err);
    if (err || !rest.n)
        return 0;
    *text = rest.p + (rest.p[0] == ' ');
    return (size_t)line;
}

void lint_add_err(lint *l, const char *rule, char *file, dv_err *err)
{
    const char *text = dv_err_str(err);

    if (strncmp(text, LINT_NAMELESS ": ", strlen(LINT_NAMELESS ": ")) == 0)
        text += strlen(LINT_NAMELESS ": ");
    size_t line = cut_line(&text);

    lint_add(l, LINT_ERROR, rule, file, line, dv_strdup(text));
    dv_err_free(err);
}

size_t lint_line(const lint *l, dv_str bytes, const char *pointer)
{
    return l->findings.n < LINT_FINDINGS_MAX ? dv_yaml_line_of(bytes, pointer) : 0;
}

bool lint_read(lint *l, const char *file, size_t bytes_max, dv_buf *out)
{
    dv_auto_str path = dv_asprintf("%s/%s", l->root, file);

    dv_buf_init(out, bytes_max);
    dv_err *err = dv_file_read(path, out);
    if (!err)
        return true;
    if (!dv_err_is(err, DV_NOT_FOUND)) {
        lint_add(l, LINT_ERROR, "unreadable", dv_strdup(file), 0, dv_strdup(dv_err_str(err)));
    }
    dv_err_free(err);
    return false;
}
