/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML to JSON documents, as Kubernetes' tools read it (sigs.k8s.io/yaml on go-yaml v2's
 * resolution: YAML 1.1 scalars, merge keys, anchors), and back as they print it. The door to
 * libyaml.
 *
 * Events come first; a json_t is one sink. Depth, bytes and alias expansion are counted on each
 * event before the next is asked for, so a bomb ends as INVALID "YAMLTooLarge" in bounded time
 * and memory. Errors carry the line, never the content.
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"

typedef struct {
    size_t bytes_max; /* of input; 0: DV_YAML_BYTES_MAX */
    size_t nodes_max; /* after alias expansion; 0: DV_YAML_NODES_MAX */
    size_t depth_max; /* 0: DV_YAML_DEPTH_MAX */
} dv_yaml_limits;

#define DV_YAML_BYTES_MAX ((size_t)32 * 1024 * 1024)
#define DV_YAML_NODES_MAX ((size_t)2 * 1000 * 1000)
#define DV_YAML_DEPTH_MAX ((size_t)100)

/*
 * One document; an empty stream gives JSON null; a second document that holds something is
 * INVALID "BadYAML", as is a key that a mapping has twice. *ret_doc is owned.
 */
DV_MUST_USE dv_err *dv_yaml_read(dv_str bytes, const dv_yaml_limits *limits, json_t **ret_doc);

/*
 * All documents of a stream of manifests, as kubectl reads files: "---" separated YAML, or a
 * stream of JSON values when the first byte that is no blank is '{' (then "---" lines between
 * values are accepted too). Empty documents are left out. *ret_docs is an owned array.
 */
DV_MUST_USE dv_err *dv_yaml_read_all(dv_str bytes, const dv_yaml_limits *limits, json_t **ret_docs);

/*
 * Line (from 1) of the first document in `bytes` at which the value with this JSON pointer is
 * written (of an object's member: its key), 0 when unknown. For error messages: it reads again.
 */
size_t dv_yaml_line_of(dv_str bytes, const char *pointer);

/* Appends doc as sigs.k8s.io/yaml prints it: keys sorted, block style, strings quoted as needed. */
void dv_yaml_write(const json_t *doc, dv_buf *out);
/*
 * The same as Helm's toYamlPretty prints it, which is yaml v3 with an indent of 2: lists indented
 * under their keys, no line folded, reals as Go's strconv has them ("1e+06").
 */
void dv_yaml_write_pretty(const json_t *doc, dv_buf *out);
