/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a server that answers as each test tells it. */
#include "http_peer.h"

#include "testlib.h"

#include "base/file.h"
#include "kube/client_internal.h"
#include "kube/events.h"
#include "kube/object.h"

/* An answer, for the first `times` requests that hold the text (0: for all). */
typedef struct {
    const char *match;
    int status;
    const char *headers, *body;
    int times;
    _Atomic int hits;
} reply;
enum { REPLIES_MAX = 8 };

static struct {
    reply script[REPLIES_MAX];
    bool hold; /* answer only once released */
    char dir[256];
    peer *server;
    dv_http *http;
    dv_kube *kube;
    dv_fake_clock clock;
    dv_ctx ctx;
    dv_buf body; /* of an answer that a test makes; the server may still hold it at its end */
} t;

static const dv_resource configmaps = {"", "v1", "ConfigMap", "configmaps", "v1", true, 0, 0, 0};

/* ---- The server ---- */

static reply *pick(const char *request)
{
    for (size_t i = 0; i < REPLIES_MAX && t.script[i].status; i++) {
        reply *r = &t.script[i];

        if (!strstr(request, r->match))
            continue;
        if (!r->times || r->hits < r->times) {
            r->hits++;
            return r;
        }
    }
    return NULL;
}

static void serve(peer_conn *conn)
{
    static const size_t size = 64 * 1024;
    DV_CLEANUP(dv_freep) char *room = dv_alloc(size);

    while (conn_read_request(conn, room, size)) {
        if (t.hold)
            peer_wait_release(conn->owner);
        dv_lock(&conn->owner->mu);
        const reply *r = pick(room);
        pthread_mutex_unlock(&conn->owner->mu);
        bool fine =
            r ? conn_answer(conn, r->status, r->headers ? r->headers : "", dv_str_of(r->body))
              : conn_answer(conn, 404, "", DV_STR("404 page not found\n"));
        peer_count(conn->owner, &conn->owner->handled);
        if (!fine)
            return;
    }
}

static const char *token_path(void)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/token", t.dir);
    return path;
}

static void put_token(const char *token)
{
    assert_ok(dv_file_write(token_path(), dv_str_of(token), 0600, /* durable= */ false));
}

static void start_kube(void)
{
    dv_auto_str path = dv_asprintf("%s/config", t.dir);
    dv_auto_str yaml =
        dv_asprintf("clusters: [{name: k, cluster: {server: 'http://127.0.0.1:%d'}}]\n"
                    "users: [{name: u, user: {tokenFile: token}}]\n"
                    "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                    "current-context: c\n",
                    t.server->port);
    dv_kube_config *config = NULL;

    put_token("one");
    assert_ok(dv_file_write(path, dv_str_of(yaml), 0600, /* durable= */ false));
    assert_ok(dv_kube_config_load(&t.ctx, &(dv_kube_config_options){.kubeconfig = path}, &config));
    unlink(path);
    t.http = dv_http_new();
    t.kube = dv_kube_new(t.http, config, "davit/1");
}

static int set_up(void **state DV_UNUSED)
{
    const char *tmp = getenv("TMPDIR");

    memset(&t, 0, sizeof(t));
    snprintf(t.dir, sizeof(t.dir), "%s/davit-client-XXXXXX", tmp ? tmp : P_tmpdir);
    assert_non_null(mkdtemp(t.dir));
    dv_fake_clock_init(&t.clock, 1795251630000);
    t.ctx = dv_ctx_make(NULL);
    t.ctx.clock = &t.clock.clock;
    t.server = peer_start(serve, NULL, NULL);
    start_kube();
    return 0;
}

static int tear_down(void **state DV_UNUSED)
{
    dv_http_free(t.http);
    dv_kube_free(t.kube);
    peer_stop(t.server);
    dv_buf_done(&t.body);
    unlink(token_path());
    rmdir(t.dir);
    return 0;
}

static void say(size_t at, reply r)
{
    DV_LOCK_SCOPE(&t.server->mu);

    t.script[at].match = r.match;
    t.script[at].status = r.status;
    t.script[at].headers = r.headers;
    t.script[at].body = r.body;
    t.script[at].times = r.times;
    t.script[at].hits = 0;
}

static dv_kube_request get(const char *name)
{
    return (dv_kube_request){.verb = DV_KUBE_GET, .resource = &configmaps, .ns = "a", .name = name};
}

static dv_err *ask(const dv_kube_request *request)
{
    json_auto_t *object = NULL;

    return dv_kube_do(&t.ctx, t.kube, request, &object);
}

/* ---- Credentials ---- */

#define DENIAL                                                                                     \
    "{\"kind\":\"Status\",\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\","               \
    "\"code\":401}"

static void a_401_is_met_with_a_fresh_token(void **state DV_UNUSED)
{
    dv_kube_request request = get("b");

    say(0, (reply){"Bearer two", 200, NULL, "{\"kind\":\"ConfigMap\"}", 0, 0});
    say(1, (reply){"Bearer one", 401, NULL, DENIAL, 0, 0});
    put_token("two");
    assert_ok(ask(&request));
    assert_int_equal(t.script[0].hits, 1);
    assert_int_equal(t.script[1].hits, 1);
    assert_ok(ask(&request));
    assert_int_equal(t.script[1].hits, 1);
}

static void a_second_401_is_transient(void **state DV_UNUSED)
{
    dv_kube_request request = get("b");

    say(0, (reply){"Bearer", 401, NULL, DENIAL, 0, 0});
    assert_err(ask(&request), DV_TRANSIENT, "get ConfigMap a/b: Unauthorized");
    assert_int_equal(t.script[0].hits, 2);
}

static void of_a_batch_only_the_refused_are_sent_again(void **state DV_UNUSED)
{
    dv_kube_request requests[] = {get("x"), get("y"), get("z"), get("..")};
    dv_kube_result results[DV_LEN(requests)];

    say(0, (reply){"Bearer two", 200, NULL, "{\"kind\":\"ConfigMap\"}", 0, 0});
    say(1, (reply){"configmaps/y", 200, NULL, "{}", 0, 0});
    say(2, (reply){"Bearer one", 401, NULL, DENIAL, 0, 0});
    put_token("two");
    dv_kube_batch(&t.ctx, t.kube, requests, DV_LEN(requests), results);
    for (size_t i = 0; i < DV_LEN(requests); i++) {
        if (i == 3)
            assert_err(results[i].err, DV_INVALID, "the name holds");
        else
            assert_ok(results[i].err);
        assert_int_equal(results[i].status, i == 3 ? 0 : 200);
        json_decref(results[i].object);
    }
    assert_int_equal(t.script[0].hits, 2);
    assert_int_equal(t.script[1].hits, 1);
    assert_int_equal(t.script[2].hits, 2);
}

/* ---- Answers ---- */

static void retry_after_is_kept(void **state DV_UNUSED)
{
    dv_kube_request request = get("b");

    say(0, (reply){"GET", 429, "Retry-After: 5\r\n", "", 0, 0});
    dv_auto(dv_err) err = ask(&request);
    assert_true(dv_err_is(err, DV_TRANSIENT));
    assert_int_equal(dv_err_retry_after_ms(err), 5000);
}

static void all_causes_of_an_apply_conflict_come_along(void **state DV_UNUSED)
{
    dv_kube_request request = get("b");
    dv_buf *body = &t.body;
    dv_kube_result result;

    dv_buf_init(body, DV_LINE_MAX);
    dv_buf_adds(body, "{\"kind\":\"Status\",\"code\":409,\"details\":{\"causes\":[");
    for (int i = 0; i < 40; i++)
        dv_buf_addf(body, "%s{\"reason\":\"FieldManagerConflict\",\"field\":\".f%d\"}",
                    i ? "," : "", i);
    dv_buf_adds(body, "]}}");
    say(0, (reply){"GET", 409, NULL, dv_buf_cstr(body), 0, 0});
    dv_kube_batch(&t.ctx, t.kube, &request, 1, &result);
    json_auto_t *causes = result.causes;
    assert_err(result.err, DV_DENIED, "and 24 more");
    assert_int_equal(json_array_size(causes), 40);
    assert_string_equal(dv_json_str(causes, "/39/field"), ".f39");
    assert_err(ask(&request), DV_DENIED, NULL); /* one alone does without */
}

static void an_answer_that_is_no_json_is_transient_if_it_is_wanted(void **state DV_UNUSED)
{
    dv_kube_request request = get("b");

    say(0, (reply){"GET", 200, NULL, "<html>", 0, 0});
    assert_err(ask(&request), DV_TRANSIENT, "get ConfigMap a/b: ");
    assert_ok(dv_kube_do(&t.ctx, t.kube, &request, NULL));
}

static void a_network_error_names_the_object(void **state DV_UNUSED)
{
    dv_kube_request request = get("b");

    shutdown(t.server->fd, SHUT_RDWR);
    assert_err(ask(&request), DV_TRANSIENT, "get ConfigMap a/b: ");
}

typedef struct {
    uint64_t got200, got404, none;
} figures;

static void add_figure(void *arg, const char *verb, int code, uint64_t count)
{
    figures *f = arg;

    assert_string_equal(verb, "get");
    f->got200 += code == 200 ? count : 0;
    f->got404 += code == 404 ? count : 0;
    f->none += code == 0 ? count : 0;
}

static void requests_are_counted_by_verb_and_code(void **state DV_UNUSED)
{
    dv_kube_request request = get("b");
    figures f = {0};

    say(0, (reply){"GET", 200, NULL, "{}", 2, 0});
    assert_ok(ask(&request));
    assert_ok(ask(&request));
    assert_err(ask(&request), DV_TRANSIENT, NULL);
    dv_kube_request_counts(t.kube, add_figure, &f);
    assert_int_equal(f.got200, 2);
    assert_int_equal(f.got404, 1);
    assert_int_equal(f.none, 0);
}

static void the_version_is_read(void **state DV_UNUSED)
{
    json_auto_t *version = NULL;

    say(0, (reply){"GET /version", 200, NULL, "{\"gitVersion\":\"v1.34.4\"}", 1, 0});
    assert_ok(dv_kube_version(&t.ctx, t.kube, &version));
    assert_string_equal(dv_json_str(version, "/gitVersion"), "v1.34.4");
    json_t *none = NULL;
    assert_err(dv_kube_version(&t.ctx, t.kube, &none), DV_TRANSIENT, "version of the API server");
    say(0, (reply){"GET /version", 200, NULL, "nonsense", 0, 0});
    assert_err(dv_kube_version(&t.ctx, t.kube, &none), DV_TRANSIENT, NULL);
}

static void a_no_counts_from_a_server_that_is_ready(void **state DV_UNUSED)
{
    bool allowed = true;

    say(0, (reply){"POST ", 201, NULL, "{\"status\":{\"allowed\":false}}", 1, 0});
    say(1, (reply){"GET /readyz ", 500, NULL, "[-]informer-sync failed", 1, 0});
    dv_auto(dv_err) err = dv_kube_may(&t.ctx, t.kube, NULL, "get", &configmaps, NULL, &allowed);
    assert_true(dv_err_is(err, DV_TRANSIENT));
    assert_string_equal(dv_err_reason(err), "ServerNotReady");
    /* It became ready between the two questions. */
    say(0, (reply){"POST ", 201, NULL, "{\"status\":{\"allowed\":false}}", 1, 0});
    say(1, (reply){"GET /readyz ", 200, NULL, "ok", 0, 0});
    say(2, (reply){"POST ", 201, NULL, "{\"status\":{\"allowed\":true}}", 0, 0});
    assert_ok(dv_kube_may(&t.ctx, t.kube, NULL, "get", &configmaps, NULL, &allowed));
    assert_true(allowed);
    say(0, (reply){"POST ", 201, NULL, "{\"status\":{\"allowed\":false}}", 0, 0});
    assert_ok(dv_kube_may(&t.ctx, t.kube, NULL, "get", &configmaps, NULL, &allowed));
    assert_false(allowed);
}

static void may_asks_as_the_account(void **state DV_UNUSED)
{
    bool allowed = false;

    say(0, (reply){"Impersonate-User: x:y", 201, NULL, "{\"status\":{\"allowed\":true}}", 0, 0});
    say(1, (reply){"POST", 201, NULL, "{\"status\":{\"allowed\":false}}", 0, 0});
    assert_ok(dv_kube_may(&t.ctx, t.kube, "x:y", "get", &configmaps, "a", &allowed));
    assert_true(allowed);
    assert_true(peer_saw(t.server, "\"resourceAttributes\":{\"verb\":\"get\",\"group\":\"\","
                                   "\"version\":\"v1\",\"resource\":\"configmaps\","
                                   "\"namespace\":\"a\"}"));
    assert_ok(dv_kube_may(&t.ctx, t.kube, NULL, "get", &configmaps, NULL, &allowed));
    assert_false(allowed);
}

/* ---- Lists ---- */

typedef struct {
    dv_buf names;
    int stop_at; /* fail at this item; 0: never */
    int n;
} seen;

static dv_err *see(void *arg, const json_t *item)
{
    seen *s = arg;

    if (++s->n == s->stop_at)
        return dv_err_new(DV_BUG, "Stop", "stop here");
    dv_buf_addf(&s->names, "%s %s %s,", dv_json_str(item, "/apiVersion"), dv_obj_kind(item),
                dv_obj_name(item));
    return NULL;
}

#define ITEM(name) "{\"metadata\":{\"name\":\"" name "\"}}"
#define PAGE(meta, items)                                                                          \
    "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{" meta "},\"items\":[" items  \
    "]}"

static const dv_kube_request list_all = {.verb = DV_KUBE_LIST,
                                         .resource = &configmaps,
                                         .resource_version = "5",
                                         .resource_version_match = "NotOlderThan"};

static void pages_are_walked_and_bad_items_left_out(void **state DV_UNUSED)
{
    seen s = {0};
    dv_auto_str version = NULL;
    size_t skipped = 0;

    say(0, (reply){"limit=500&continue=next", 200, NULL,
                   PAGE("\"resourceVersion\":\"9\"", ITEM("c")), 0, 0});
    say(1, (reply){"resourceVersion=5&resourceVersionMatch=NotOlderThan&limit=500 ", 200, NULL,
                   PAGE("\"continue\":\"next\",\"resourceVersion\":\"9\"",
                        ITEM("a") ",{\"metadata\":{\"name\":\"twice\",\"name\":\"twice\"}},7,"
                                  "{\"kind\":\"Own\",\"apiVersion\":\"x/v1\"}"),
                   0, 0});
    dv_buf_init(&s.names, 4096);
    assert_ok(dv_kube_list(&t.ctx, t.kube, &list_all, see, &s, &version, &skipped));
    assert_string_equal(dv_buf_cstr(&s.names), "v1 ConfigMap a,x/v1 Own ,v1 ConfigMap c,");
    assert_string_equal(version, "9");
    assert_int_equal(skipped, 2);
    dv_buf_done(&s.names);
}

static void a_walk_ends_at_the_callers_error(void **state DV_UNUSED)
{
    seen s = {.stop_at = 2};

    dv_buf_init(&s.names, 4096);
    say(0, (reply){"GET", 200, NULL, PAGE("\"continue\":\"next\"", ITEM("a") "," ITEM("b")), 0, 0});
    assert_err(dv_kube_list(&t.ctx, t.kube, &list_all, see, &s, NULL, NULL), DV_BUG, "stop here");
    assert_int_equal(t.script[0].hits, 1);
    dv_buf_done(&s.names);
}

static void a_token_that_expires_is_transient(void **state DV_UNUSED)
{
    seen s = {0};

    dv_buf_init(&s.names, 4096);
    say(0, (reply){"continue=next", 410, NULL,
                   "{\"kind\":\"Status\",\"message\":\"gone\",\"reason\":\"Expired\",\"code\":410}",
                   0, 0});
    say(1, (reply){"GET", 200, NULL, PAGE("\"continue\":\"next\"", ITEM("a")), 0, 0});
    dv_auto(dv_err) err = dv_kube_list(&t.ctx, t.kube, &list_all, see, &s, NULL, NULL);
    assert_true(dv_err_is(err, DV_TRANSIENT));
    assert_string_equal(dv_err_reason(err), "Expired");
    dv_buf_done(&s.names);
}

static void half_a_list_is_transient(void **state DV_UNUSED)
{
    seen s = {0};

    dv_buf_init(&s.names, 4096);
    say(0, (reply){"GET", 200, NULL, "{\"items\":[", 0, 0});
    assert_err(dv_kube_list(&t.ctx, t.kube, &list_all, see, &s, NULL, NULL), DV_TRANSIENT,
               "list ConfigMap: the server's list");
    dv_buf_done(&s.names);
}

/* ---- Discovery ---- */

#define RES(name, kind, scope, rest)                                                               \
    "{\"resource\":\"" name                                                                        \
    "\",\"responseKind\":{\"group\":\"\",\"version\":\"\",\"kind\":\"" kind                        \
    "\"},\"scope\":\"" scope "\",\"verbs\":[\"get\",\"list\",\"watch\",\"delete\"]" rest "}"
#define VERSION(name, resources, rest)                                                             \
    "{\"version\":\"" name "\",\"resources\":[" resources "]" rest "}"
#define GROUP(name, versions) "{\"metadata\":{\"name\":\"" name "\"},\"versions\":[" versions "]}"
#define DISCOVERY(groups) "{\"kind\":\"APIGroupDiscoveryList\",\"items\":[" groups "]}"
#define CORE DISCOVERY(GROUP("", VERSION("v1", RES("pods", "Pod", "Namespaced", ""), "")))
#define STATUS_SUB ",\"subresources\":[{\"subresource\":\"status\"}]"

static void say_discovery(const char *groups)
{
    say(0, (reply){"GET /api ", 200, NULL, CORE, 0, 0});
    say(1, (reply){"GET /apis ", 200, NULL, groups, 0, 0});
}

static dv_err *find(const char *api_version, const char *kind, const dv_resource **ret)
{
    return dv_kube_resource(&t.ctx, t.kube, api_version, kind, ret);
}

static void kinds_are_known_by_version_and_by_preference(void **state DV_UNUSED)
{
    const dv_resource *one = NULL, *two = NULL, *preferred = NULL;
    size_t cursor = 0, n = 0;

    say_discovery(DISCOVERY(GROUP(
        "x.io",
        VERSION("v2", RES("things", "Thing", "Cluster", STATUS_SUB), "") "," VERSION(
            "v1", RES("things", "Thing", "Cluster", "") "," RES("olds", "Old", "Namespaced", ""),
            ""))));
    assert_ok(find("v1", "Pod", &one));
    assert_true(one->namespaced && one->can_list_watch && one->can_delete && !one->has_status);
    assert_string_equal(one->group, "");
    assert_string_equal(one->api_version, "v1");
    assert_ok(find("x.io/v1", "Thing", &one));
    assert_ok(find("x.io/v2", "Thing", &two));
    assert_ok(dv_kube_resource_preferred(&t.ctx, t.kube, "x.io", "Thing", &preferred));
    assert_ptr_equal(preferred, two);
    assert_true(two->has_status && !one->has_status && !two->namespaced);
    assert_ok(dv_kube_resource_preferred(&t.ctx, t.kube, "x.io", "Old", &preferred));
    assert_string_equal(preferred->api_version, "x.io/v1");
    while (dv_kube_next_resource(t.kube, &cursor, &one))
        n++;
    assert_int_equal(n, 3);
    assert_int_equal(t.script[1].hits, 1);
}

static void a_miss_asks_again_every_two_seconds_or_at_once_when_told(void **state DV_UNUSED)
{
    const dv_resource *found = NULL;

    say_discovery(DISCOVERY(""));
    assert_err(find("x.io/v1", "Thing", &found), DV_NOT_FOUND, "no kind Thing in x.io/v1");
    assert_err(find("x.io/v1", "Thing", &found), DV_NOT_FOUND, NULL);
    assert_int_equal(t.script[1].hits, 1);
    dv_kube_discovery_stale(t.kube);
    assert_ok(find("v1", "Pod", &found)); /* a hit needs no question */
    assert_int_equal(t.script[1].hits, 1);
    assert_err(find("x.io/v1", "Thing", &found), DV_NOT_FOUND, NULL);
    assert_int_equal(t.script[1].hits, 2);
    dv_fake_clock_advance(&t.clock, DV_KUBE_DISCOVERY_MS);
    say(1,
        (reply){"GET /apis ", 200, NULL,
                DISCOVERY(GROUP("x.io", VERSION("v1", RES("things", "Thing", "Cluster", ""), ""))),
                0, 0});
    assert_ok(find("x.io/v1", "Thing", &found));
    assert_string_equal(found->resource, "things");
}

static void a_kind_that_comes_back_different_is_another_one(void **state DV_UNUSED)
{
    const dv_resource *before = NULL, *after = NULL, *pod = NULL, *pod_again = NULL;

    say_discovery(
        DISCOVERY(GROUP("x.io", VERSION("v1", RES("things", "Thing", "Cluster", ""), ""))));
    assert_ok(find("x.io/v1", "Thing", &before));
    assert_ok(find("v1", "Pod", &pod));
    say(1, (reply){"GET /apis ", 200, NULL,
                   DISCOVERY(
                       GROUP("x.io", VERSION("v1", RES("things", "Thing", "Namespaced", ""), ""))),
                   0, 0});
    /* A request to its path says that it is gone; the next look-up, in time, asks. */
    dv_kube_request request = {.verb = DV_KUBE_GET, .resource = before, .name = "a"};
    assert_err(ask(&request), DV_TRANSIENT, NULL);
    assert_ok(find("x.io/v1", "Thing", &after));
    assert_ptr_equal(before, after);
    dv_fake_clock_advance(&t.clock, DV_KUBE_DISCOVERY_MS);
    assert_ok(find("x.io/v1", "Thing", &after));
    assert_true(after->namespaced && !before->namespaced);
    assert_ok(find("v1", "Pod", &pod_again));
    assert_ptr_equal(pod, pod_again);
}

static void a_group_whose_server_is_down_is_not_gone(void **state DV_UNUSED)
{
    const dv_resource *found = NULL;

    say_discovery(DISCOVERY(GROUP("metrics.io", VERSION("v1", "", ",\"freshness\":\"Stale\""))));
    dv_auto(dv_err) err = find("metrics.io/v1", "PodMetrics", &found);
    assert_true(dv_err_is(err, DV_TRANSIENT));
    assert_string_equal(dv_err_reason(err), "GroupUnavailable");
    size_t cursor = 0;
    char *group = NULL;
    assert_ok(dv_kube_discover(&t.ctx, t.kube));
    assert_true(dv_kube_next_unavailable(t.kube, &cursor, &group));
    assert_string_equal(group, "metrics.io");
    free(group);
    assert_false(dv_kube_next_unavailable(t.kube, &cursor, &group));
}

static void kinds_that_must_be_known_now_are_read_or_the_call_fails(void **state DV_UNUSED)
{
    const dv_resource *found = NULL;

    say(0, (reply){"GET /api ", 200, NULL,
                   DISCOVERY(
                       GROUP("", VERSION("v1", RES("namespaces", "Namespace", "Cluster", ""), ""))),
                   0, 0});
    say(1, (reply){"GET /apis ", 200, NULL, DISCOVERY(""), 0, 0});
    assert_ok(dv_kube_discover(&t.ctx, t.kube));
    assert_int_equal(t.script[1].hits, 1);
    dv_fake_clock_advance(&t.clock, DV_KUBE_DISCOVERY_MS);
    say(1,
        (reply){"GET /apis ", 200, NULL,
                DISCOVERY(GROUP("x.io", VERSION("v1", RES("things", "Thing", "Cluster", ""), ""))),
                0, 0});
    assert_ok(dv_kube_discover(&t.ctx, t.kube));
    assert_ok(find("x.io/v1", "Thing", &found));
    dv_fake_clock_advance(&t.clock, DV_KUBE_DISCOVERY_MS);
    say(1, (reply){"GET /apis ", 503, NULL, "", 0, 0});
    assert_err(dv_kube_discover(&t.ctx, t.kube), DV_TRANSIENT, "discovery");
}

static void a_server_without_aggregated_discovery_is_refused(void **state DV_UNUSED)
{
    const dv_resource *found = NULL;

    say_discovery("{\"kind\":\"APIGroupList\",\"groups\":[]}");
    assert_err(find("v1", "Pod", &found), DV_INVALID, "Kubernetes 1.30 or newer");
}

static void discovery_that_fails_is_transient_and_keeps_what_was_known(void **state DV_UNUSED)
{
    const dv_resource *found = NULL;

    say(0, (reply){"GET /api ", 200, NULL, CORE, 0, 0});
    assert_err(find("v1", "Pod", &found), DV_TRANSIENT, "discovery");
    say(1, (reply){"GET /apis ", 200, NULL, "nonsense", 0, 0});
    assert_err(find("v1", "Pod", &found), DV_TRANSIENT, NULL);
    say(1, (reply){"GET /apis ", 200, NULL, DISCOVERY(""), 0, 0});
    assert_ok(find("v1", "Pod", &found));
    say(1, (reply){"GET /apis ", 503, NULL, "", 0, 0});
    dv_kube_discovery_suspect(t.kube);
    dv_fake_clock_advance(&t.clock, DV_KUBE_DISCOVERY_MS);
    assert_ok(find("v1", "Pod", &found));
    assert_err(find("v1", "Node", &found), DV_TRANSIENT, "discovery: the server answered 503");
}

/* While it starts a server lists what it has got to so far: that something is missing means
 * nothing. */
static void a_server_that_is_not_ready_has_no_say_about_kinds(void **state DV_UNUSED)
{
    const dv_resource *found = NULL;

    say_discovery(DISCOVERY(""));
    say(2, (reply){"GET /readyz ", 500, NULL, "[-]informer-sync failed", 0, 0});
    dv_auto(dv_err) err = find("x.io/v1", "Thing", &found);
    assert_true(dv_err_is(err, DV_TRANSIENT));
    assert_string_equal(dv_err_reason(err), "ServerNotReady");
    say(2, (reply){"GET /readyz ", 200, NULL, "ok", 0, 0});
    assert_err(find("x.io/v1", "Thing", &found), DV_NOT_FOUND, NULL);
    assert_ok(find("v1", "Pod", &found));
    /* Restarted: what it has not got to yet is still known. */
    say(0, (reply){"GET /api ", 200, NULL, DISCOVERY(""), 0, 0});
    say(2, (reply){"GET /readyz ", 503, "Retry-After: 3\r\n", "", 0, 0});
    dv_kube_discovery_suspect(t.kube);
    dv_fake_clock_advance(&t.clock, DV_KUBE_DISCOVERY_MS);
    assert_ok(find("v1", "Pod", &found));
    dv_auto(dv_err) again = find("x.io/v1", "Thing", &found);
    assert_true(dv_err_is(again, DV_TRANSIENT));
    assert_int_equal(dv_err_retry_after_ms(again), 3000);
}

static void too_many_kinds_are_refused(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_KUBE_DISCOVERY_MAX);
    const dv_resource *found = NULL;

    dv_buf_adds(&text, "{\"kind\":\"APIGroupDiscoveryList\",\"items\":[{\"metadata\":{\"name\":"
                       "\"x\"},\"versions\":[{\"version\":\"v1\",\"resources\":[");
    for (size_t i = 0; i <= DV_KUBE_KINDS_MAX; i++)
        dv_buf_addf(&text, "%s{\"resource\":\"r%zu\",\"responseKind\":{\"kind\":\"K%zu\"}}",
                    i ? "," : "", i, i);
    dv_buf_adds(&text, "]}]}]}");
    assert_ok(dv_buf_check(&text));
    say_discovery(dv_buf_cstr(&text));
    assert_err(find("v1", "Pod", &found), DV_INVALID, "more kinds than");
    peer_wait_for(t.server, &t.server->handled, 2); /* it has let go of the text */
}

static void *find_pod(void *arg DV_UNUSED)
{
    const dv_resource *found = NULL;
    dv_ctx ctx = t.ctx;
    dv_auto(dv_err) err = dv_kube_resource(&ctx, t.kube, "v1", "Pod", &found);

    return (void *)(uintptr_t)(err ? NULL : found);
}

static void many_threads_wait_for_one_reading(void **state DV_UNUSED)
{
    pthread_t threads[8];
    void *first = NULL;

    t.hold = true;
    say_discovery(DISCOVERY(""));
    for (size_t i = 0; i < DV_LEN(threads); i++)
        threads[i] = dv_thread_start("find", DV_STACK_BYTES, find_pod, NULL);
    peer_release(t.server);
    for (size_t i = 0; i < DV_LEN(threads); i++) {
        void *found = NULL;

        pthread_join(threads[i], &found);
        assert_non_null(found);
        assert_true(!first || first == found);
        first = found;
    }
    assert_int_equal(t.script[0].hits, 1);
    assert_int_equal(t.script[1].hits, 1);
}

static void a_static_kind_is_interned(void **state DV_UNUSED)
{
    const dv_resource *a = dv_kube_resource_static(t.kube, "davit.dev", "v1alpha1",
                                                   "PackageManifest", "packagemanifests", true);
    const dv_resource *b = dv_kube_resource_static(t.kube, "davit.dev", "v1alpha1",
                                                   "PackageManifest", "packagemanifests", true);

    assert_ptr_equal(a, b);
    assert_string_equal(a->api_version, "davit.dev/v1alpha1");
    assert_int_equal(t.server->requests, 0);
}

/* ---- Without waiting ---- */

typedef struct {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    bool done;
    dv_kube_raw raw;
} awaited;

static void take_raw(void *arg, dv_kube_raw raw)
{
    awaited *a = arg;
    DV_LOCK_SCOPE(&a->mu);

    a->raw = raw;
    a->done = true;
    pthread_cond_broadcast(&a->changed);
}

static dv_kube_raw start_and_wait(const dv_kube_request *request)
{
    awaited a = {.done = false};

    pthread_mutex_init(&a.mu, NULL);
    dv_cond_init(&a.changed);
    dv_kube_start(&t.ctx, t.kube, request, /* timeout_ms= */ 10000, take_raw, &a);
    dv_lock(&a.mu);
    while (!a.done)
        dv_cond_wait_ms(&a.changed, &a.mu, -1);
    pthread_mutex_unlock(&a.mu);
    pthread_cond_destroy(&a.changed);
    pthread_mutex_destroy(&a.mu);
    return a.raw;
}

static void a_request_without_waiting_gives_the_raw_answer(void **state DV_UNUSED)
{
    dv_kube_request request = get("b");
    dv_kube_request wrong = get("..");

    say(0, (reply){"GET", 200, NULL, "{}", 1, 0});
    say(1, (reply){"GET", 429, "Retry-After: 2\r\n", "slow", 1, 0});
    say(2, (reply){"GET", 401, NULL, DENIAL, 1, 0});
    say(3, (reply){"Bearer two", 200, NULL, "fine", 0, 0});
    dv_kube_raw one = start_and_wait(&request);
    assert_int_equal(one.status, 200);
    assert_string_equal(dv_buf_cstr(&one.body), "{}");
    dv_kube_raw two = start_and_wait(&request);
    assert_int_equal(two.status, 429);
    assert_int_equal(two.retry_after_ms, 2000);
    put_token("two");
    dv_kube_raw three = start_and_wait(&request);
    assert_int_equal(three.status, 401); /* not sent again, but the token is read again */
    dv_kube_raw four = start_and_wait(&request);
    assert_int_equal(four.status, 200);
    dv_kube_raw five = start_and_wait(&wrong);
    assert_err(five.err, DV_INVALID, "the name holds");
    dv_buf_done(&one.body);
    dv_buf_done(&two.body);
    dv_buf_done(&three.body);
    dv_buf_done(&four.body);
}

/* ---- Watches ---- */

typedef struct {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    char retry_after[64];
    int status;
    dv_buf bytes;
    bool ended;
    dv_err *err;
} watched;

static void on_header(void *arg, const char *name, const char *value)
{
    watched *w = arg;

    if (strcmp(name, "retry-after") == 0)
        snprintf(w->retry_after, sizeof(w->retry_after), "%s", value);
}

static bool on_begin(void *arg, int status)
{
    watched *w = arg;

    w->status = status;
    return true;
}

static bool on_data(void *arg, dv_str bytes)
{
    watched *w = arg;

    dv_buf_add_str(&w->bytes, bytes);
    return true;
}

static void on_end(void *arg, dv_err *err)
{
    watched *w = arg;
    DV_LOCK_SCOPE(&w->mu);

    w->err = err;
    w->ended = true;
    pthread_cond_broadcast(&w->changed);
}

/* Watches until the server ends it. */
static void watch_to_the_end(watched *w)
{
    static const dv_http_sink sink = {
        .header = on_header, .begin = on_begin, .data = on_data, .end = on_end};
    dv_kube_request request = {.resource = &configmaps,
                               .limit = 5,
                               .continue_token = "not in a watch",
                               .resource_version = "7"};
    dv_http_stream *stream = NULL;

    *w = (watched){.bytes = DV_BUF_INIT(4096)};
    pthread_mutex_init(&w->mu, NULL);
    dv_cond_init(&w->changed);
    assert_ok(dv_kube_watch(&t.ctx, t.kube, &request, &sink, w, &stream));
    dv_lock(&w->mu);
    while (!w->ended)
        dv_cond_wait_ms(&w->changed, &w->mu, -1);
    pthread_mutex_unlock(&w->mu);
    dv_http_stream_close(stream);
}

static void watched_done(watched *w)
{
    dv_err_free(w->err);
    dv_buf_done(&w->bytes);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->mu);
}

#define WATCH "GET /api/v1/configmaps?resourceVersion=7&watch=true&allowWatchBookmarks=true "

static void a_watch_passes_on_what_comes(void **state DV_UNUSED)
{
    watched w;

    say(0, (reply){WATCH, 200, NULL, "{\"type\":\"BOOKMARK\"}\n", 0, 0});
    watch_to_the_end(&w);
    assert_null(w.err);
    assert_int_equal(w.status, 200);
    assert_string_equal(dv_buf_cstr(&w.bytes), "{\"type\":\"BOOKMARK\"}\n");
    watched_done(&w);
}

static void a_watch_that_is_refused_says_why(void **state DV_UNUSED)
{
    watched w;

    say(0, (reply){WATCH, 429, "Retry-After: 3\r\n", "slow", 0, 0});
    watch_to_the_end(&w);
    assert_int_equal(w.status, 429);
    assert_string_equal(w.retry_after, "3");
    watched_done(&w);
}

static void a_401_to_a_watch_makes_the_next_one_read_the_token(void **state DV_UNUSED)
{
    watched w;

    say(0, (reply){"Bearer two", 200, NULL, "", 0, 0});
    say(1, (reply){"Bearer one", 401, NULL, DENIAL, 0, 0});
    put_token("two");
    watch_to_the_end(&w);
    assert_int_equal(w.status, 401);
    watched_done(&w);
    watch_to_the_end(&w);
    assert_int_equal(w.status, 200);
    watched_done(&w);
}

static void a_watch_that_nobody_answers_ends_with_an_error(void **state DV_UNUSED)
{
    watched w;

    shutdown(t.server->fd, SHUT_RDWR);
    watch_to_the_end(&w);
    assert_int_equal(w.status, 0);
    assert_true(dv_err_is(w.err, DV_TRANSIENT));
    watched_done(&w);
}

/* ---- Events ---- */

static dv_objref regarding(const char *ns, const char *name)
{
    return (dv_objref){(char *)(uintptr_t) "v1", (char *)(uintptr_t) "ConfigMap",
                       (char *)(uintptr_t)ns, (char *)(uintptr_t)name, (char *)(uintptr_t) "u"};
}

static dv_events *make_events(void)
{
    return dv_events_new(t.kube, &t.clock.clock, "davit.dev/controller", "pod-1");
}

static void an_event_that_repeats_is_counted(void **state DV_UNUSED)
{
    dv_objref ref = regarding("a", "b");
    dv_events *events = make_events();

    say(0, (reply){"POST /apis/events.k8s.io/v1/namespaces/a/events ", 201, NULL, "{}", 0, 0});
    say(1, (reply){"PATCH /apis/events.k8s.io/v1/namespaces/a/events/b.", 200, NULL, "{}", 0, 0});
    for (int i = 0; i < 3; i++)
        dv_event(events, &ref, "Normal", "Installed", "Install", "version %d", 1);
    peer_wait_for(t.server, &t.server->handled, 1);
    assert_true(peer_saw(t.server, "\"note\":\"version 1\""));
    assert_true(peer_saw(t.server, "\"reportingInstance\":\"pod-1\""));
    dv_event(events, &ref, "Normal", "Installed", "Install", "version %d", 2);
    peer_wait_for(t.server, &t.server->handled, 2);
    dv_fake_clock_advance(&t.clock, DV_EVENT_PATCH_MS);
    dv_event(events, &ref, "Normal", "Installed", "Install", "version %d", 1);
    peer_wait_for(t.server, &t.server->handled, 3);
    assert_true(peer_saw(t.server, "{\"series\":{\"count\":4,\"lastObservedTime\":"));
    dv_fake_clock_advance(&t.clock, DV_EVENT_SERIES_MS);
    dv_event(events, &ref, "Normal", "Installed", "Install", "version %d", 1);
    peer_wait_for(t.server, &t.server->handled, 4);
    dv_events_free(events);
    assert_int_equal(t.script[0].hits, 3);
    assert_int_equal(t.script[1].hits, 1);
}

static void an_event_that_is_refused_is_made_anew(void **state DV_UNUSED)
{
    dv_objref ref = regarding("", "system:Node.");
    dv_events *events = make_events();

    /* A cluster-scoped object, whose name no event can have. */
    say(0, (reply){"POST /apis/events.k8s.io/v1/namespaces/default/events ", 500, NULL, "", 1, 0});
    say(1, (reply){"\"name\":\"system--odex.", 201, NULL, "{}", 0, 0});
    dv_event(events, &ref, "Warning", "Failed", "Install", "no");
    while (!dv_events_dropped(events))
        sched_yield();
    assert_int_equal(dv_events_dropped(events), 1);
    dv_event(events, &ref, "Warning", "Failed", "Install", "no");
    peer_wait_for(t.server, &t.server->handled, 2);
    dv_events_free(events);
    assert_int_equal(t.script[1].hits, 1);
}

static void events_beyond_the_queue_are_dropped(void **state DV_UNUSED)
{
    dv_objref ref = regarding("a", "b");
    dv_events *events = make_events();

    t.hold = true;
    say(0, (reply){"POST", 201, NULL, "{}", 0, 0});
    for (int i = 0; i < (int)DV_EVENTS_IN_FLIGHT_MAX + 9; i++)
        dv_event(events, &ref, "Normal", "Many", "Install", "number %d", i);
    assert_int_equal(dv_events_dropped(events), 9);
    peer_release(t.server);
    dv_events_free(events);
}

static void a_standby_sends_no_events(void **state DV_UNUSED)
{
    dv_objref ref = regarding("a", "b");
    dv_events *events = make_events();

    dv_events_pause(events, true);
    dv_event(events, &ref, "Normal", "Any", "Install", "x");
    dv_events_pause(events, false);
    dv_events_free(events);
    assert_int_equal(t.server->requests, 0);
}

static void a_long_note_is_cut_between_characters(void **state DV_UNUSED)
{
    dv_objref ref = regarding("a", "b");
    dv_events *events = make_events();
    char note[2048];

    memset(note, 'x', sizeof(note));
    memcpy(note + 1023, "\xc3\xa9", 2); /* é across the limit */
    note[sizeof(note) - 1] = '\0';
    say(0, (reply){"POST", 201, NULL, "{}", 0, 0});
    dv_event(events, &ref, "Normal", "Long", "Install", "%s", note);
    peer_wait_for(t.server, &t.server->handled, 1);
    note[1023] = '\0';
    dv_auto_str want = dv_asprintf("\"note\":\"%s\"", note);
    assert_true(peer_saw(t.server, want));
    dv_events_free(events);
}

static void many_series_make_room(void **state DV_UNUSED)
{
    dv_objref ref = regarding("a", "b");
    dv_events *events = make_events();

    say(0, (reply){"POST", 201, NULL, "{}", 0, 0});
    for (int i = 0; i < (int)DV_EVENT_SERIES_MAX + 2; i++) {
        dv_event(events, &ref, "Normal", "Many", "Install", "number %d", i);
        peer_wait_for(t.server, &t.server->handled, i + 1);
        if (i == 0)
            dv_fake_clock_advance(&t.clock, 1);
    }
    dv_event(events, &ref, "Normal", "Many", "Install", "number %d", 0); /* was the oldest */
    peer_wait_for(t.server, &t.server->handled, (int)DV_EVENT_SERIES_MAX + 3);
    dv_fake_clock_advance(&t.clock, DV_EVENT_SERIES_MS);
    dv_event(events, &ref, "Normal", "Many", "Install", "last");
    peer_wait_for(t.server, &t.server->handled, (int)DV_EVENT_SERIES_MAX + 4);
    dv_events_free(events);
}

int main(void)
{
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        WITH_SERVER(a_401_is_met_with_a_fresh_token),
        WITH_SERVER(a_second_401_is_transient),
        WITH_SERVER(of_a_batch_only_the_refused_are_sent_again),
        WITH_SERVER(retry_after_is_kept),
        WITH_SERVER(all_causes_of_an_apply_conflict_come_along),
        WITH_SERVER(an_answer_that_is_no_json_is_transient_if_it_is_wanted),
        WITH_SERVER(a_network_error_names_the_object),
        WITH_SERVER(requests_are_counted_by_verb_and_code),
        WITH_SERVER(the_version_is_read),
        WITH_SERVER(may_asks_as_the_account),
        WITH_SERVER(a_no_counts_from_a_server_that_is_ready),
        WITH_SERVER(pages_are_walked_and_bad_items_left_out),
        WITH_SERVER(a_walk_ends_at_the_callers_error),
        WITH_SERVER(a_token_that_expires_is_transient),
        WITH_SERVER(half_a_list_is_transient),
        WITH_SERVER(kinds_are_known_by_version_and_by_preference),
        WITH_SERVER(a_miss_asks_again_every_two_seconds_or_at_once_when_told),
        WITH_SERVER(a_kind_that_comes_back_different_is_another_one),
        WITH_SERVER(a_group_whose_server_is_down_is_not_gone),
        WITH_SERVER(a_server_without_aggregated_discovery_is_refused),
        WITH_SERVER(discovery_that_fails_is_transient_and_keeps_what_was_known),
        WITH_SERVER(a_server_that_is_not_ready_has_no_say_about_kinds),
        WITH_SERVER(kinds_that_must_be_known_now_are_read_or_the_call_fails),
        WITH_SERVER(too_many_kinds_are_refused),
        WITH_SERVER(many_threads_wait_for_one_reading),
        WITH_SERVER(a_static_kind_is_interned),
        WITH_SERVER(a_request_without_waiting_gives_the_raw_answer),
        WITH_SERVER(a_watch_passes_on_what_comes),
        WITH_SERVER(a_watch_that_is_refused_says_why),
        WITH_SERVER(a_401_to_a_watch_makes_the_next_one_read_the_token),
        WITH_SERVER(a_watch_that_nobody_answers_ends_with_an_error),
        WITH_SERVER(an_event_that_repeats_is_counted),
        WITH_SERVER(an_event_that_is_refused_is_made_anew),
        WITH_SERVER(events_beyond_the_queue_are_dropped),
        WITH_SERVER(a_standby_sends_no_events),
        WITH_SERVER(a_long_note_is_cut_between_characters),
        WITH_SERVER(many_series_make_room),
    };

    dv_http_setup();
    return cmocka_run_group_tests_name("kube/client", tests, NULL, NULL);
}
