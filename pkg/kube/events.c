/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A series is one event object: made by the first occurrence, then patched with the count. The
 * state is shared with the answers under way, so its memory goes with the last of them.
 */
#include "kube/events.h"

#include <stdarg.h>

#include "base/crypto.h"
#include "base/map.h"
#include "base/sync.h"

/* Limits of events.k8s.io/v1. */
enum { NOTE_MAX_BYTES = 1024, REASON_MAX_BYTES = 128, NAME_MAX_BYTES = 253, SUFFIX_BYTES = 17 };
enum { SEND_TIMEOUT_MS = 15000, FREE_WAIT_MS = 2000, WAIT_SLICE_MS = 50 };

typedef struct {
    char *ns, *name;
    int64_t first_ms, sent_ms; /* monotonic */
    int64_t count;
} series;

struct dv_events {
    dv_kube *kube;
    const dv_clock *clock;
    const dv_resource *resource;
    char *controller, *instance;

    pthread_mutex_t mu;
    pthread_cond_t changed;
    /* Guarded by mu. */
    dv_map *known; /* key -> series */
    size_t in_flight;
    bool closed; /* the last answer frees */
    _Atomic bool paused;
    _Atomic uint64_t dropped;
};

static void series_free(void *value)
{
    series *s = value;

    free(s->ns);
    free(s->name);
    free(s);
}

dv_events *dv_events_new(dv_kube *kube, const dv_clock *clock, const char *controller,
                         const char *instance)
{
    dv_events *events = DV_NEW(dv_events);

    events->kube = kube;
    events->clock = clock;
    events->resource = dv_kube_resource_static(kube, "events.k8s.io", "v1", "Event", "events",
                                               /* namespaced= */ true);
    events->controller = dv_strdup(controller);
    events->instance = dv_strndup(instance, strnlen(instance, REASON_MAX_BYTES));
    events->known = dv_map_new(series_free);
    pthread_mutex_init(&events->mu, NULL);
    dv_cond_init(&events->changed);
    return events;
}

static void destroy(dv_events *events)
{
    dv_map_free(events->known);
    free(events->controller);
    free(events->instance);
    pthread_cond_destroy(&events->changed);
    pthread_mutex_destroy(&events->mu);
    free(events);
}

void dv_events_free(dv_events *events)
{
    if (!events)
        return;
    const dv_clock *clock = dv_clock_real();
    int64_t until_ms = clock->mono_ms(clock) + FREE_WAIT_MS;
    dv_lock(&events->mu);
    while (events->in_flight && clock->mono_ms(clock) < until_ms)
        dv_cond_wait_ms(&events->changed, &events->mu, WAIT_SLICE_MS);
    events->closed = true;
    bool last = !events->in_flight;
    pthread_mutex_unlock(&events->mu);
    if (last)
        destroy(events);
}

void dv_events_pause(dv_events *events, bool paused)
{
    events->paused = paused;
}

uint64_t dv_events_dropped(const dv_events *events)
{
    return events->dropped;
}

/* ---- Texts ---- */

/* Length of the longest prefix within the limit that cuts no character. */
static size_t whole_characters(const char *text, size_t limit)
{
    size_t n = strnlen(text, limit + 1);

    if (n <= limit)
        return n;
    for (n = limit; n && ((unsigned char)text[n] & 0xc0) == 0x80;)
        n--;
    return n;
}

static void put_text(json_t *object, const char *key, const char *text, size_t limit)
{
    dv_str cut = {text ? text : "", text ? whole_characters(text, limit) : 0};

    json_object_set_new(object, key, dv_json_string(cut));
}

/* "<object>.<16 hex digits>", a DNS subdomain whatever the object's name holds. */
static char *event_name(const char *object)
{
    size_t n = strnlen(object, NAME_MAX_BYTES - SUFFIX_BYTES);
    uint64_t suffix;
    char *name;

    dv_random_bytes(&suffix, sizeof(suffix));
    name = dv_asprintf("%.*s.%016llx", (int)n, object, (unsigned long long)suffix);
    for (size_t i = 0; i < n; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9')))
            name[i] = name[i] == '.' && i && name[i - 1] != '.' && name[i - 1] != '-' ? '.' : '-';
    if (n && name[0] == '-')
        name[0] = 'x';
    if (n && (name[n - 1] == '-' || name[n - 1] == '.'))
        name[n - 1] = 'x';
    return name;
}

static char *series_key(const dv_objref *ref, const char *type, const char *reason,
                        const char *action, const char *note)
{
    return dv_asprintf("%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s", ref->kind, ref->ns, ref->name, ref->uid,
                       type, reason, action, note);
}

/* ---- Documents ---- */

static char *micro_now(const dv_events *events)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(64);

    dv_time_add_micro(&text, events->clock->unix_us(events->clock));
    return dv_buf_take(&text);
}

static json_t *reference(const dv_objref *ref)
{
    json_t *out = json_object();

    dv_json_put_str(out, "apiVersion", ref->api_version);
    dv_json_put_str(out, "kind", ref->kind);
    dv_json_put_str(out, "namespace", *ref->ns ? ref->ns : NULL);
    dv_json_put_str(out, "name", ref->name);
    dv_json_put_str(out, "uid", *ref->uid ? ref->uid : NULL);
    return out;
}

static json_t *first_event(const dv_events *events, const series *s, const dv_objref *regarding,
                           const char *type, const char *reason, const char *action,
                           const char *note)
{
    json_t *event = dv_obj_new("events.k8s.io/v1", "Event", s->ns, s->name);
    dv_auto_str now = micro_now(events);

    dv_json_put_str(event, "eventTime", now);
    dv_json_put_str(event, "reportingController", events->controller);
    dv_json_put_str(event, "reportingInstance", events->instance);
    dv_json_put_str(event, "type", type);
    put_text(event, "action", action, REASON_MAX_BYTES);
    put_text(event, "reason", reason, REASON_MAX_BYTES);
    put_text(event, "note", note, NOTE_MAX_BYTES);
    json_object_set_new(event, "regarding", reference(regarding));
    return event;
}

static json_t *series_patch(const dv_events *events, const series *s)
{
    json_t *patch = json_object();
    json_t *counted = json_object();
    dv_auto_str now = micro_now(events);

    json_object_set_new(counted, "count", json_integer(s->count));
    dv_json_put_str(counted, "lastObservedTime", now);
    json_object_set_new(patch, "series", counted);
    return patch;
}

/* ---- Sending ---- */

typedef struct {
    dv_events *events;
    char *key;
} sending;

static void sent(void *arg, dv_kube_raw raw)
{
    sending *s = arg;
    dv_events *events = s->events;
    bool fine = !raw.err && raw.status >= 200 && raw.status <= 299;
    bool last;

    dv_lock(&events->mu);
    if (!fine) { /* the next occurrence makes a new one */
        dv_map_drop(events->known, dv_str_of(s->key));
        events->dropped++;
    }
    events->in_flight--;
    last = events->closed && !events->in_flight;
    pthread_cond_broadcast(&events->changed);
    pthread_mutex_unlock(&events->mu);
    if (last)
        destroy(events);
    dv_err_free(raw.err);
    dv_buf_done(&raw.body);
    free(s->key);
    free(s);
}

/* Takes body. */
static void send(dv_events *events, dv_kube_verb verb, const char *ns, const char *name,
                 json_t *body, char *key)
{
    dv_ctx ctx = dv_ctx_make(NULL);
    sending *s = DV_NEW(sending);
    dv_kube_request request = {.verb = verb,
                               .resource = events->resource,
                               .ns = ns,
                               .name = name,
                               .body = body,
                               .metadata_only = true};

    *s = (sending){events, key};
    dv_kube_start(&ctx, events->kube, &request, SEND_TIMEOUT_MS, sent, s);
    json_decref(body);
}

/* ---- Series; with the lock held ---- */

static void forget_old(dv_events *events, int64_t now_ms)
{
    DV_CLEANUP(dv_strings_done) dv_strings old = {0};
    dv_str oldest = {0};
    int64_t oldest_ms = INT64_MAX;
    size_t cursor = 0;
    dv_str key;
    void *value;

    if (dv_map_count(events->known) < DV_EVENT_SERIES_MAX)
        return;
    while (dv_map_next(events->known, &cursor, &key, &value)) {
        const series *s = value;

        if (now_ms - s->first_ms >= DV_EVENT_SERIES_MS)
            dv_strings_take(&old, dv_str_dup(key));
        else if (s->first_ms < oldest_ms) {
            oldest_ms = s->first_ms;
            oldest = key;
        }
    }
    if (!old.n)
        dv_strings_take(&old, dv_str_dup(oldest));
    for (size_t i = 0; i < old.n; i++)
        dv_map_drop(events->known, dv_str_of(old.at[i]));
}

typedef struct {
    bool create, patch; /* neither: it is counted, or dropped */
    series copy;        /* of what is to be sent; texts owned */
} step;

static series copy_of(const series *s)
{
    series copy = *s;

    copy.ns = dv_strdup(s->ns);
    copy.name = dv_strdup(s->name);
    return copy;
}

static series *begin_series(dv_events *events, const char *key, const dv_objref *regarding,
                            int64_t now_ms)
{
    series *s = DV_NEW(series);

    forget_old(events, now_ms);
    *s = (series){.ns = dv_strdup(*regarding->ns ? regarding->ns : "default"),
                  .name = event_name(regarding->name),
                  .first_ms = now_ms,
                  .sent_ms = now_ms,
                  .count = 1};
    dv_map_put(events->known, dv_str_of(key), s);
    return s;
}

/* What this occurrence asks for; claims its place in flight. */
static step decide(dv_events *events, const char *key, const dv_objref *regarding)
{
    int64_t now_ms = events->clock->mono_ms(events->clock);
    series *s;
    step next = {0};
    DV_LOCK_SCOPE(&events->mu);

    s = dv_map_get(events->known, dv_str_of(key));
    bool known = s && now_ms - s->first_ms < DV_EVENT_SERIES_MS;
    if (known)
        s->count++;
    if (known && now_ms - s->sent_ms < DV_EVENT_PATCH_MS)
        return next;
    if (events->in_flight >= DV_EVENTS_IN_FLIGHT_MAX) {
        events->dropped++;
        return next;
    }
    if (!known)
        s = begin_series(events, key, regarding, now_ms);
    s->sent_ms = now_ms;
    next.create = !known;
    next.patch = known;
    next.copy = copy_of(s);
    events->in_flight++;
    return next;
}

/* ---- For callers ---- */

void dv_event(dv_events *events, const dv_objref *regarding, const char *type, const char *reason,
              const char *action, const char *format, ...)
{
    DV_CLEANUP(dv_objref_done) dv_objref ref = dv_objref_dup(regarding);
    dv_auto_str note = NULL;
    va_list args;

    if (events->paused)
        return;
    va_start(args, format);
    if (vasprintf(&note, format, args) < 0)
        abort();
    va_end(args);
    note[whole_characters(note, NOTE_MAX_BYTES)] = '\0';
    dv_auto_str key = series_key(&ref, type, reason, action, note);
    step next = decide(events, key, &ref);
    if (next.create)
        send(events, DV_KUBE_CREATE, next.copy.ns, NULL,
             first_event(events, &next.copy, &ref, type, reason, action, note), dv_strdup(key));
    else if (next.patch)
        send(events, DV_KUBE_MERGE_PATCH, next.copy.ns, next.copy.name,
             series_patch(events, &next.copy), dv_strdup(key));
    free(next.copy.ns);
    free(next.copy.name);
}
