/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as a stream of events, scalars already resolved: what every consumer reads from.
 *
 * The reader counts bytes, depth and nodes on each event, before it asks libyaml for the next
 * (which is quadratic in the depth of flow collections). A consumer that expands an alias charges
 * what that makes with dv_yaml_events_charge(), so a bomb runs out of its allowance.
 *
 *     stream = { DOC_START node DOC_END } STREAM_END
 *     node   = SCALAR | ALIAS | SEQ_START { node } SEQ_END | MAP_START { node node } MAP_END
 *
 * Threads: owner.
 */
#pragma once

#include "yaml/resolve.h"
#include "yaml/yaml.h"

typedef enum {
    DV_YAML_STREAM_END,
    DV_YAML_DOC_START,
    DV_YAML_DOC_END,
    DV_YAML_SEQ_START,
    DV_YAML_SEQ_END,
    DV_YAML_MAP_START,
    DV_YAML_MAP_END,
    DV_YAML_SCALAR,
    DV_YAML_ALIAS,
} dv_yaml_event_type;

typedef struct {
    dv_yaml_event_type type;
    size_t line;           /* from 1 */
    const char *anchor;    /* of an ALIAS its target; else NULL where there is none */
    dv_yaml_scalar scalar; /* SCALAR */
    bool merge;            /* SCALAR: as a key, "<<" that merges */
} dv_yaml_event;

typedef struct dv_yaml_events dv_yaml_events;

/* Borrows bytes until dv_yaml_events_free(). limits may be NULL. */
dv_yaml_events *dv_yaml_events_new(dv_str bytes, const dv_yaml_limits *limits);
void dv_yaml_events_free(dv_yaml_events *events);
/* Bytes begin at this line of a larger text; before the first event. */
void dv_yaml_events_start_at(dv_yaml_events *events, size_t line);
/*
 * *ret_event is borrowed until the next call. INVALID "BadYAML" or "YAMLTooLarge", with the line;
 * after an error, and after STREAM_END, there is no next.
 */
DV_MUST_USE dv_err *dv_yaml_events_next(dv_yaml_events *events, const dv_yaml_event **ret_event);
/* Takes off the allowance what an alias makes. INVALID "YAMLTooLarge": it is used up. */
DV_MUST_USE dv_err *dv_yaml_events_charge(dv_yaml_events *events, size_t nodes, size_t bytes);
/* What was taken off so far: a consumer's measure of the node between two readings. */
void dv_yaml_events_used(const dv_yaml_events *events, size_t *ret_nodes, size_t *ret_bytes);
/* An error for the event that was read last. */
dv_err *dv_yaml_events_error(const dv_yaml_events *events, const char *what);
/*
 * Appends what go-yaml v2 says where the parser stopped: "yaml: line 2: did not find expected key".
 * Its lines are its own: those of the parser's errors are one less than the scanner's. False: the
 * parser is content, what failed was a rule of ours.
 */
bool dv_yaml_events_go_error(const dv_yaml_events *events, dv_buf *out);
DV_DEFINE_AUTO(dv_yaml_events)
