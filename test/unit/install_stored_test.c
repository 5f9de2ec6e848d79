/* SPDX-License-Identifier: Apache-2.0 */
/* What was applied: in memory, in Secrets and back, and compared with what the watch tells. */
#include "install_cluster.h"

#include "base/archive.h"
#include "base/crypto.h"
#include "install/applied.h"

#define OWNER "0123456789abcdef0123"

static cluster *c;

static int set_up(void **state DV_UNUSED)
{
    c = cluster_new();
    return 0;
}

static int tear_down(void **state DV_UNUSED)
{
    cluster_free(c);
    return 0;
}

static dv_objects prepared(const char *items)
{
    dv_auto_pm pm = cluster_pm("own", "web", "");
    const dv_prepare_options options = {.pm = pm};
    dv_objects objects = {0};

    assert_ok(dv_prepare(&c->ctx, c->kube, cluster_read(items), &options, &objects));
    return objects;
}

/* Two ConfigMaps, own/a and own/b. */
static dv_objects two(void)
{
    return prepared(
        "[{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}},"
        "{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}}]");
}

static dv_applied applied_of(const dv_objects *objects)
{
    dv_applied applied = {.inputs = "abc", .complete = true};

    for (size_t i = 0; i < objects->all.n; i++) {
        dv_applied_item *item = dv_applied_add(&applied, &objects->all.at[i]);

        dv_set_str(&item->ref.uid, "u");
        item->revision = 7 + i;
        item->generation = (int64_t)i;
        item->adopted = i == 0;
        item->foreign = i == 1;
        memcpy(item->digest, objects->all.at[i].digest, sizeof(item->digest));
    }
    return applied;
}

/* ---- In memory ---- */

static void an_object_has_one_item(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = two();
    DV_CLEANUP(dv_applied_done) dv_applied applied = {0};

    assert_null(dv_applied_find(&applied, &objects.all.at[0].ref));
    dv_applied_add(&applied, &objects.all.at[0])->revision = 3;
    assert_int_equal(dv_applied_add(&applied, &objects.all.at[0])->revision, 3);
    assert_int_equal(applied.items.n, 1);
    assert_int_equal(dv_applied_find(&applied, &objects.all.at[0].ref)->revision, 3);
    assert_null(dv_applied_find(&applied, &objects.all.at[1].ref));
}

static void what_left_the_objects_is_forgotten(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = two(), one = {0};
    DV_CLEANUP(dv_applied_done) dv_applied applied = applied_of(&objects);

    one = prepared("[{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}}]");
    dv_applied_keep(&applied, &one);
    assert_int_equal(applied.items.n, 1);
    assert_string_equal(applied.items.at[0].ref.name, "b");
}

static const struct rival_row {
    const char *name;
    int64_t at_ms[DV_CORRECTIONS_MAX];
    bool rival;
} rival_rows[] = {
    {"three corrections within the window are a rival's",
     {1000, 2000, 1000 + DV_RIVAL_WINDOW_MS},
     true},
    {"three in a longer time are not", {1000, 2000, 1001 + DV_RIVAL_WINDOW_MS}, false},
    {"nor are three with a pause between",
     {1000, 1000 + DV_RIVAL_WINDOW_MS, 2000 + DV_RIVAL_WINDOW_MS},
     false},
};

static void corrections_find_a_rival(void **state)
{
    const struct rival_row *row = *state;
    dv_applied_item item = {0};

    assert_false(dv_applied_corrected(&item, row->at_ms[0]));
    assert_false(dv_applied_corrected(&item, row->at_ms[1]));
    assert_int_equal(dv_applied_corrected(&item, row->at_ms[2]), row->rival);
    assert_int_equal(item.rest_until_ms, row->rival ? row->at_ms[2] + DV_RIVAL_REST_MS : 0);
}

/* ---- Drift ---- */

static const struct drift_row {
    const char *name, *kind;
    const char *there; /* what the cluster has in place of the object; NULL: nothing */
    const char *uid;
    uint64_t revision; /* after our apply; the object in the cluster has 101 */
    int64_t generation;
    bool foreign, watched;
    dv_drift want;
} drift_rows[] = {
    {"nothing moved", "ConfigMap", "", "u", 101, 0, false, true, DV_DRIFT_NONE},
    {"the revision moved", "ConfigMap", "", "u", 100, 0, false, true, DV_DRIFT_SUSPECT},
    {"only the status of one with generations moved", "Deployment", "", "u", 100, 1, false, true,
     DV_DRIFT_NONE},
    {"the generation moved", "Deployment", "", "u", 100, 3, false, true, DV_DRIFT_SUSPECT},
    {"another object has its name", "ConfigMap", "", "other", 101, 0, false, true,
     DV_DRIFT_SUSPECT},
    {"the watch lags behind our apply", "ConfigMap", "", "u", 102, 0, false, true, DV_DRIFT_NONE},
    {"it is gone", "ConfigMap", NULL, "u", 100, 0, false, true, DV_DRIFT_GONE},
    {"it is not there yet, says a watch that lags", "ConfigMap", NULL, "u", 900, 0, false, true,
     DV_DRIFT_NONE},
    {"nobody watches", "ConfigMap", "", "u", 101, 0, false, false, DV_DRIFT_UNKNOWN},
    {"what is used as it is never drifts", "ConfigMap", NULL, "u", 100, 0, true, true,
     DV_DRIFT_NONE},
};

static void drift_is_as_wanted(void **state)
{
    const struct drift_row *row = *state;
    bool deployment = strcmp(row->kind, "Deployment") == 0, watched;
    const char *api_version = deployment ? "apps/v1" : "v1";
    dv_applied_item item = {.ref = {.ns = (char *)(uintptr_t) "own",
                                    .name = (char *)(uintptr_t) "a",
                                    .uid = (char *)(uintptr_t)row->uid},
                            .revision = row->revision,
                            .generation = row->generation,
                            .foreign = row->foreign};
    dv_auto_str yaml = dv_asprintf("{apiVersion: %s, kind: %s, metadata: {name: a, namespace: own, "
                                   "uid: u, labels: {davit.dev/owner: " OWNER "}}}",
                                   api_version, row->kind);

    if (row->there)
        cluster_put(c, yaml);
    item.resource = cluster_resource(c, api_version, row->kind);
    if (row->watched) {
        assert_ok(dv_owned_watch(&c->ctx, c->owned, item.resource, &watched));
        assert_true(watched);
    }
    assert_int_equal(dv_applied_drift(c->owned, &item), row->want);
}

/* ---- In Secrets ---- */

static dv_err *load(dv_applied *ret_applied, dv_objects *ret_objects)
{
    return dv_stored_load(&c->ctx, c->kube, "davit", OWNER, ret_applied, ret_objects);
}

static void save(dv_applied *applied, const dv_objects *objects)
{
    assert_ok(dv_stored_save(&c->ctx, c->kube, "davit", OWNER, applied, objects));
}

static void what_is_stored_comes_back(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = two(), objects_again = {0};
    DV_CLEANUP(dv_applied_done) dv_applied applied = applied_of(&objects), again = {0};

    save(&applied, &objects);
    assert_ok(load(&again, &objects_again));
    assert_string_equal(again.inputs, "abc");
    assert_true(again.complete);
    assert_int_equal(again.items.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const dv_applied_item *was = &applied.items.at[i], *is = &again.items.at[i];

        assert_int_equal(dv_objref_cmp(&was->ref, &is->ref), 0);
        assert_string_equal(is->ref.uid, "u");
        assert_string_equal(is->digest, was->digest);
        assert_true(is->resource == was->resource);
        assert_int_equal(is->revision, was->revision);
        assert_int_equal(is->generation, was->generation);
        assert_int_equal(is->adopted, was->adopted);
        assert_int_equal(is->foreign, was->foreign);
        assert_true(dv_json_equal(objects_again.all.at[i].object, objects.all.at[i].object));
    }
}

static void the_objects_may_be_left_out_of_a_reading(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = two();
    DV_CLEANUP(dv_applied_done) dv_applied applied = applied_of(&objects), again = {0};

    save(&applied, &objects);
    assert_ok(load(&again, NULL));
    assert_int_equal(again.items.n, 2);
}

static void the_secret_is_marked_as_ours(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = two();
    DV_CLEANUP(dv_applied_done) dv_applied applied = applied_of(&objects);

    save(&applied, &objects);
    json_auto_t *secret = cluster_get(c, "Secret", "davit", "davit-" OWNER);
    assert_string_equal(dv_obj_label(secret, DV_LABEL_STORED), OWNER);
}

/* An object too random to fit into one Secret. */
static dv_objects large(void)
{
    enum { BYTES = 900 * 1000 };
    DV_CLEANUP(dv_buf_done) dv_buf noise = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto_str bytes = dv_alloc(BYTES);
    dv_objects objects = two();

    dv_random_bytes(bytes, BYTES);
    dv_base64_add(&noise, (dv_str){bytes, BYTES});
    assert_ok(
        dv_json_set(objects.all.at[0].object, "/data/noise", json_string(dv_buf_cstr(&noise))));
    return objects;
}

static void what_one_secret_cant_hold_is_parted(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = large(), again = {0};
    DV_CLEANUP(dv_applied_done) dv_applied applied = applied_of(&objects), applied_again = {0};

    save(&applied, &objects);
    assert_true(cluster_has(c, "Secret", "davit", "davit-" OWNER "-1"));
    assert_ok(load(&applied_again, &again));
    assert_true(dv_json_equal(again.all.at[0].object, objects.all.at[0].object));
}

static void a_lost_part_is_nothing_stored(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = large(), again = {0};
    DV_CLEANUP(dv_applied_done) dv_applied applied = applied_of(&objects), applied_again = {0};

    save(&applied, &objects);
    cluster_drop(c, "Secret", "davit", "davit-" OWNER "-1");
    assert_err(load(&applied_again, &again), DV_NOT_FOUND, NULL);
}

static void all_parts_are_dropped(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = large();
    DV_CLEANUP(dv_applied_done) dv_applied applied = applied_of(&objects);

    save(&applied, &objects);
    assert_ok(dv_stored_drop(&c->ctx, c->kube, "davit", OWNER));
    assert_false(cluster_has(c, "Secret", "davit", "davit-" OWNER));
    assert_false(cluster_has(c, "Secret", "davit", "davit-" OWNER "-1"));
    assert_ok(dv_stored_drop(&c->ctx, c->kube, "davit", OWNER)); /* nothing there is fine */
}

static void parts_that_are_not_needed_any_more_go(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects much = large();
    DV_CLEANUP(dv_objects_done) dv_objects little = two();
    DV_CLEANUP(dv_applied_done) dv_applied applied = applied_of(&much), again = {0};

    save(&applied, &much);
    assert_ok(load(&again, NULL)); /* as after a restart */
    save(&again, &little);
    assert_true(cluster_has(c, "Secret", "davit", "davit-" OWNER));
    assert_false(cluster_has(c, "Secret", "davit", "davit-" OWNER "-1"));
}

static void parts_that_nobody_counts_are_dropped_too(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = large();
    DV_CLEANUP(dv_applied_done) dv_applied applied = applied_of(&objects);

    save(&applied, &objects);
    cluster_drop(c, "Secret", "davit", "davit-" OWNER);
    cluster_put(c,
                "{apiVersion: v1, kind: Secret, metadata: {name: other, namespace: davit, labels: "
                "{davit.dev/stored: another}}}");
    assert_ok(dv_stored_drop(&c->ctx, c->kube, "davit", OWNER));
    assert_false(cluster_has(c, "Secret", "davit", "davit-" OWNER "-1"));
    assert_true(cluster_has(c, "Secret", "davit", "other"));
}

/* plain, compressed, in a Secret. */
static void put_stored(const char *plain)
{
    DV_CLEANUP(dv_buf_done)
    dv_buf packed = DV_BUF_INIT(DV_LINE_MAX), text = DV_BUF_INIT(DV_LINE_MAX);

    dv_gzip_add(&packed, dv_str_of(plain));
    dv_base64_add(&text, dv_buf_str(&packed));
    dv_auto_str yaml = dv_asprintf("{apiVersion: v1, kind: Secret, metadata: {name: davit-" OWNER
                                   ", namespace: davit}, data: {package: \"%s\"}}",
                                   dv_buf_cstr(&text));
    cluster_put(c, yaml);
}

static const struct unreadable_row {
    const char *name;
    const char *plain; /* compressed; NULL: the Secret as in `raw` */
    const char *raw;   /* NULL: no Secret */
} unreadable_rows[] = {
    {"no Secret is nothing stored", NULL, NULL},
    {"no base64 is nothing stored", NULL, "data: {package: '!'}"},
    {"no gzip is nothing stored", NULL, "data: {package: AAAA}"},
    {"an empty Secret is nothing stored", NULL, "data: {}"},
    {"a number of parts that is none is nothing stored", NULL, "data: {package: AAAA}, x: y"},
    {"no JSON is nothing stored", "{", NULL},
    {"a kind that is gone is nothing stored",
     "{\"items\":[{\"apiVersion\":\"x/v1\",\"kind\":\"Gone\",\"name\":\"a\"}]}", NULL},
};

static void unreadable_is_nothing_stored(void **state)
{
    const struct unreadable_row *row = *state;
    DV_CLEANUP(dv_objects_done) dv_objects objects = {0};
    DV_CLEANUP(dv_applied_done) dv_applied applied = {0};
    dv_auto_str yaml = dv_asprintf("{apiVersion: v1, kind: Secret, metadata: {name: davit-" OWNER
                                   ", namespace: davit, annotations:"
                                   " {davit.dev/parts: '%s'}}, %s}",
                                   row->raw && strstr(row->raw, "x: y") ? "many" : "1", row->raw);

    if (row->plain)
        put_stored(row->plain);
    else if (row->raw)
        cluster_put(c, yaml);
    assert_err(load(&applied, &objects), DV_NOT_FOUND, NULL);
}

static void a_server_that_is_down_is_not_nothing_stored(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = {0};
    DV_CLEANUP(dv_applied_done) dv_applied applied = {0};

    cluster_fail(c, "GET ", 503, 100, "");
    assert_err(load(&applied, &objects), DV_TRANSIENT, NULL);
}

int main(void)
{
    dv_suite suite = {.name = "install/stored"};

    DV_TEST(&suite, an_object_has_one_item);
    DV_TEST(&suite, what_left_the_objects_is_forgotten);
    DV_TABLE(&suite, corrections_find_a_rival, rival_rows);
    DV_TABLE(&suite, drift_is_as_wanted, drift_rows);
    DV_TEST(&suite, what_is_stored_comes_back);
    DV_TEST(&suite, the_objects_may_be_left_out_of_a_reading);
    DV_TEST(&suite, the_secret_is_marked_as_ours);
    DV_TEST(&suite, what_one_secret_cant_hold_is_parted);
    DV_TEST(&suite, a_lost_part_is_nothing_stored);
    DV_TEST(&suite, all_parts_are_dropped);
    DV_TEST(&suite, parts_that_are_not_needed_any_more_go);
    DV_TEST(&suite, parts_that_nobody_counts_are_dropped_too);
    DV_TABLE(&suite, unreadable_is_nothing_stored, unreadable_rows);
    DV_TEST(&suite, a_server_that_is_down_is_not_nothing_stored);
    for (size_t i = 0; i < suite.tests.n; i++) {
        suite.tests.at[i].setup_func = set_up;
        suite.tests.at[i].teardown_func = tear_down;
    }
    return dv_suite_run(&suite);
}
