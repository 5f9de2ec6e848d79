/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a package repository (or one package, or one version of it) on disk.
 *
 *     files ──► lint_repository.c: index, versions, which folders there are
 *           ──► lint_package.c:    each package.yaml and its manifests
 *           ──► lint_solve.c:      can each version be installed from what is here?
 *
 * The content is an outsider's: files, lists and depths have the limits that the operator has, and
 * names become paths only when they are plain.
 *
 * Threads: main.
 */
#pragma once

#include "base/map.h"
#include "manifest/package.h"

typedef enum { LINT_ERROR, LINT_WARNING } lint_severity;

typedef struct {
    char *file;  /* relative to the folder that is looked at */
    size_t line; /* from 1; 0: the file as a whole */
    lint_severity severity;
    const char *rule; /* static; for machines */
    char *message;
} lint_finding;

/* More than anybody reads; the rest is counted. */
#define LINT_FINDINGS_MAX ((size_t)1000)

typedef struct {
    char *text;          /* name of its folder */
    char *file;          /* its package.yaml */
    dv_package *package; /* NULL: unreadable, or missing */
    bool listed;         /* versions.yaml has it */
} lint_version;

typedef struct {
    char *name;
    bool listed; /* index.yaml has it */
    DV_VEC(lint_version) versions;
    dv_map
        *known; /* versions as numbers, however written -> text that they were first written as */
} lint_package;

typedef struct {
    const char *root;
    bool whole;       /* a repository: links between packages can be followed */
    dv_map *packages; /* name -> lint_package */
    DV_VEC(lint_finding) findings;
    size_t errors, warnings;
} lint;
void lint_init(lint *l, const char *root);
void lint_done(lint *l);

/* Looks at all below root. Errors: root is no folder, or none of these. */
DV_MUST_USE dv_err *lint_run(lint *l);

/* file and message are taken. */
void lint_add(lint *l, lint_severity severity, const char *rule, char *file, size_t line,
              char *message);
/*
 * The same for an error that a reader made: a line that its message begins with ("line 3: …")
 * becomes the finding's, and the name that a reader was given for want of a better one goes. Takes
 * file and err.
 */
#define LINT_NAMELESS "manifest"
void lint_add_err(lint *l, const char *rule, char *file, dv_err *err);
/* The line of what pointer names in bytes (dv_yaml_line_of()); 0 also when no finding is kept any
 * more, for each look reads bytes anew. */
size_t lint_line(const lint *l, dv_str bytes, const char *pointer);
/* Reads a file below root into out, which it initialises. False: it could not be read, which is a
 * finding unless it is absent. */
bool lint_read(lint *l, const char *file, size_t bytes_max, dv_buf *out);

/* lint_package.c: reads one version; file is that of its package.yaml. */
void lint_read_version(lint *l, const char *package, lint_version *version);
/* lint_solve.c */
DV_MUST_USE dv_err *lint_solve(lint *l);
