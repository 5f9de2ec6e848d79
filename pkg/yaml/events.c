/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml/events.h"

#include <yaml.h>

#include "base/crypto.h"

#define TAG(name) "tag:yaml.org,2002:" name

/* libyaml compares each %TAG with all before it. */
enum { DIRECTIVES_MAX = 100 };

struct dv_yaml_events {
    yaml_parser_t parser;
    yaml_event_t raw; /* the last one, which event points into */
    dv_yaml_event event;
    dv_buf decoded; /* the bytes of a !!binary */
    dv_yaml_limits limits;
    size_t nodes, bytes, depth;
    size_t first_line; /* of input, in the text that it is a part of */
    dv_str input;
};

static dv_yaml_limits with_defaults(const dv_yaml_limits *limits)
{
    dv_yaml_limits full = limits ? *limits : (dv_yaml_limits){0};

    full.bytes_max = full.bytes_max ? full.bytes_max : DV_YAML_BYTES_MAX;
    full.nodes_max = full.nodes_max ? full.nodes_max : DV_YAML_NODES_MAX;
    full.depth_max = full.depth_max ? full.depth_max : DV_YAML_DEPTH_MAX;
    return full;
}

dv_yaml_events *dv_yaml_events_new(dv_str bytes, const dv_yaml_limits *limits)
{
    dv_yaml_events *events = DV_NEW(dv_yaml_events);
    const char *start = bytes.p ? bytes.p : "";

    events->limits = with_defaults(limits);
    events->first_line = 1;
    events->input = (dv_str){start, bytes.n};
    dv_buf_init(&events->decoded, events->limits.bytes_max);
    DV_ASSERT(yaml_parser_initialize(&events->parser));
    yaml_parser_set_input_string(&events->parser, (const unsigned char *)start, bytes.n);
    return events;
}

void dv_yaml_events_free(dv_yaml_events *events)
{
    if (!events)
        return;
    yaml_event_delete(&events->raw);
    yaml_parser_delete(&events->parser);
    dv_buf_done(&events->decoded);
    free(events);
}

void dv_yaml_events_start_at(dv_yaml_events *events, size_t line)
{
    events->first_line = line;
}

/* ---- Errors ---- */

static dv_err *too_large(size_t line, const char *what, size_t limit)
{
    return dv_err_new(DV_INVALID, "YAMLTooLarge", "line %zu: more than %zu %s", line, limit, what);
}

dv_err *dv_yaml_events_error(const dv_yaml_events *events, const char *what)
{
    return dv_err_new(DV_INVALID, "BadYAML", "line %zu: %s", events->event.line, what);
}

/* libyaml's own words name no content. */
static dv_err *parser_error(const dv_yaml_events *events)
{
    const yaml_parser_t *parser = &events->parser;
    size_t line = parser->problem_mark.line;

    DV_ASSERT(parser->error != YAML_MEMORY_ERROR);
    if (parser->error == YAML_READER_ERROR)
        line = parser->mark.line;
    return dv_err_new(DV_INVALID, "BadYAML", "line %zu: %s", line + events->first_line,
                      parser->problem ? parser->problem : "not YAML");
}

bool dv_yaml_events_go_error(const dv_yaml_events *events, dv_buf *out)
{
    const yaml_parser_t *parser = &events->parser;
    size_t line = parser->problem_mark.line;

    if (parser->error == YAML_NO_ERROR)
        return false;
    if (parser->error == YAML_READER_ERROR)
        line = 0;
    else if (line && parser->error == YAML_SCANNER_ERROR)
        line++;
    else if (!line)
        line = parser->context_mark.line;
    dv_buf_adds(out, "yaml: ");
    if (line)
        dv_buf_addf(out, "line %zu: ", line);
    dv_buf_adds(out, parser->problem ? parser->problem : "unknown problem parsing YAML content");
    return true;
}

/* ---- Allowances ---- */

dv_err *dv_yaml_events_charge(dv_yaml_events *events, size_t nodes, size_t bytes)
{
    const dv_yaml_limits *limits = &events->limits;

    if (nodes > limits->nodes_max - events->nodes)
        return too_large(events->event.line, "nodes", limits->nodes_max);
    if (bytes > limits->bytes_max - events->bytes)
        return too_large(events->event.line, "bytes", limits->bytes_max);
    events->nodes += nodes;
    events->bytes += bytes;
    return NULL;
}

void dv_yaml_events_used(const dv_yaml_events *events, size_t *ret_nodes, size_t *ret_bytes)
{
    *ret_nodes = events->nodes;
    *ret_bytes = events->bytes;
}

/* Before the first event. */
static dv_err *check_input(const dv_yaml_events *events)
{
    dv_str rest = events->input, line;
    size_t directives = 0;

    if (events->input.n > events->limits.bytes_max)
        return dv_err_new(DV_INVALID, "YAMLTooLarge", "more than %zu bytes",
                          events->limits.bytes_max);
    while (rest.n) {
        rest = dv_str_cut(rest, '\n', &line);
        if (dv_str_starts(line, DV_STR("%TAG")) && ++directives > DIRECTIVES_MAX)
            return dv_err_new(DV_INVALID, "YAMLTooLarge", "more than %d directives",
                              DIRECTIVES_MAX);
    }
    return NULL;
}

/* ---- Scalars ---- */

static dv_err *decode_binary(dv_yaml_events *events, dv_yaml_scalar *scalar)
{
    dv_buf_reset(&events->decoded);
    dv_auto(dv_err) bad = dv_base64_decode(scalar->text, &events->decoded);
    if (bad)
        return dv_yaml_events_error(events, "!!binary is not base64");
    scalar->type = DV_YAML_STRING;
    scalar->text = dv_buf_str(&events->decoded);
    return NULL;
}

/* "!!float 3" is 3.0; any other tag must agree with what the text says. */
static dv_err *fit_tag(const dv_yaml_events *events, const char *tag, dv_yaml_scalar *scalar)
{
    static const char *const tags[] = {
        [DV_YAML_NULL] = TAG("null"), [DV_YAML_BOOL] = TAG("bool"),  [DV_YAML_INT] = TAG("int"),
        [DV_YAML_UINT] = TAG("int"),  [DV_YAML_REAL] = TAG("float"),
    };
    dv_yaml_scalar resolved = dv_yaml_resolve(scalar->text);
    bool is_float = strcmp(tag, TAG("float")) == 0;

    if (is_float && (resolved.type == DV_YAML_INT || resolved.type == DV_YAML_UINT)) {
        resolved.real =
            resolved.type == DV_YAML_INT ? (double)resolved.integer : (double)resolved.uinteger;
        resolved.type = DV_YAML_REAL;
    }
    if (resolved.type == DV_YAML_STRING || strcmp(tags[resolved.type], tag) != 0)
        return dv_yaml_events_error(events, "a value does not fit its tag");
    *scalar = resolved;
    return NULL;
}

static bool is_typed(const char *tag)
{
    return strcmp(tag, TAG("null")) == 0 || strcmp(tag, TAG("bool")) == 0 ||
           strcmp(tag, TAG("int")) == 0 || strcmp(tag, TAG("float")) == 0;
}

/* A tag that is not YAML's own leaves the text a string. */
static dv_err *set_scalar(dv_yaml_events *events)
{
    const char *tag = (const char *)events->raw.data.scalar.tag;
    dv_yaml_scalar *scalar = &events->event.scalar;
    bool plain = events->raw.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    *scalar = (dv_yaml_scalar){
        .type = DV_YAML_STRING,
        .text = {(const char *)events->raw.data.scalar.value, events->raw.data.scalar.length}};
    events->event.merge =
        dv_str_is(scalar->text, "<<") && (tag ? strcmp(tag, TAG("merge")) == 0 : plain);
    DV_CHECK(dv_yaml_events_charge(events, 0, scalar->text.n));
    if (!tag && plain)
        *scalar = dv_yaml_resolve(scalar->text);
    if (!tag)
        return NULL;
    if (strcmp(tag, TAG("binary")) == 0)
        return decode_binary(events, scalar);
    if (strcmp(tag, TAG("timestamp")) == 0 && !dv_yaml_is_timestamp(scalar->text))
        return dv_yaml_events_error(events, "a value does not fit its tag");
    return is_typed(tag) ? fit_tag(events, tag, scalar) : NULL;
}

/* ---- Events ---- */

static dv_err *open_level(dv_yaml_events *events, dv_yaml_event_type type,
                          const unsigned char *anchor)
{
    events->event.type = type;
    events->event.anchor = (const char *)anchor;
    if (++events->depth > events->limits.depth_max)
        return too_large(events->event.line, "levels", events->limits.depth_max);
    return dv_yaml_events_charge(events, 1, 0);
}

static dv_err *close_level(dv_yaml_events *events, dv_yaml_event_type type)
{
    events->event.type = type;
    events->depth--;
    return NULL;
}

/* Turns the raw event into ours; *ret_skip: it is none of them. */
static dv_err *translate(dv_yaml_events *events, bool *ret_skip)
{
    dv_yaml_event *event = &events->event;
    const yaml_event_t *raw = &events->raw;

    *event = (dv_yaml_event){.line = raw->start_mark.line + events->first_line};
    *ret_skip = false;
    switch (raw->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
        *ret_skip = true;
        return NULL;
    case YAML_STREAM_END_EVENT:
        event->type = DV_YAML_STREAM_END;
        return NULL;
    case YAML_DOCUMENT_START_EVENT:
        event->type = DV_YAML_DOC_START;
        return NULL;
    case YAML_DOCUMENT_END_EVENT:
        event->type = DV_YAML_DOC_END;
        return NULL;
    case YAML_ALIAS_EVENT:
        event->type = DV_YAML_ALIAS;
        event->anchor = (const char *)raw->data.alias.anchor;
        return dv_yaml_events_charge(events, 1, 0);
    case YAML_SCALAR_EVENT:
        event->type = DV_YAML_SCALAR;
        event->anchor = (const char *)raw->data.scalar.anchor;
        DV_CHECK(dv_yaml_events_charge(events, 1, 0));
        return set_scalar(events);
    case YAML_SEQUENCE_START_EVENT:
        return open_level(events, DV_YAML_SEQ_START, raw->data.sequence_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
        return close_level(events, DV_YAML_SEQ_END);
    case YAML_MAPPING_START_EVENT:
        return open_level(events, DV_YAML_MAP_START, raw->data.mapping_start.anchor);
    case YAML_MAPPING_END_EVENT:
        return close_level(events, DV_YAML_MAP_END);
    }
    return NULL;
}

dv_err *dv_yaml_events_next(dv_yaml_events *events, const dv_yaml_event **ret_event)
{
    bool skip;

    if (!events->event.line)
        DV_CHECK(check_input(events));
    do {
        yaml_event_delete(&events->raw);
        if (!yaml_parser_parse(&events->parser, &events->raw))
            return parser_error(events);
        DV_CHECK(translate(events, &skip));
    } while (skip);
    *ret_event = &events->event;
    return NULL;
}
