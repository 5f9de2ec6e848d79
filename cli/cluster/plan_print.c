/* SPDX-License-Identifier: Apache-2.0 */
/* A plan for people, and for programs. */
#include "base/map.h"
#include "diff.h"
#include "json/patch.h"
#include "plan.h"
#include "semver/version.h"
#include "yaml/yaml.h"

static const struct {
    const char *name, *mark;
    cli_style style;
} actions[PLAN_ACTIONS] = {
    [PLAN_SAME] = {"same", "=", CLI_DIM},          [PLAN_ADD] = {"add", "+", CLI_GREEN},
    [PLAN_CHANGE] = {"change", "~", CLI_YELLOW},   [PLAN_REMOVE] = {"remove", "-", CLI_RED},
    [PLAN_LEAVE] = {"leave", "o", CLI_DIM},        [PLAN_REFUSE] = {"refuse", "!", CLI_RED},
    [PLAN_UNKNOWN] = {"unknown", "?", CLI_YELLOW},
};

const char *plan_action_name(plan_action action)
{
    return actions[action].name;
}

/* ---- What happens to a package ---- */

/* "install", "upgrade", …; static. from and to may be NULL. */
static const char *verb_of(const plan_package *p)
{
    dv_version from, to;

    if (p->removed)
        return "remove";
    if (!p->lock.version || (p->held && !p->objects.n))
        return "hold";
    if (!p->from)
        return "install";
    if (!dv_version_is(dv_str_of(p->from), &from) ||
        !dv_version_is(dv_str_of(p->lock.version), &to))
        return strcmp(p->from, p->lock.version) == 0 ? "keep" : "replace";
    int order = dv_version_cmp(&from, &to);
    return order < 0 ? "upgrade" : order > 0 ? "downgrade" : "keep";
}

static cli_style verb_style(const char *verb)
{
    return strcmp(verb, "keep") == 0                                  ? CLI_DIM
           : strcmp(verb, "hold") == 0 || strcmp(verb, "remove") == 0 ? CLI_RED
           : strcmp(verb, "install") == 0                             ? CLI_GREEN
                                                                      : CLI_YELLOW;
}

/* ---- The tree of packages ---- */

typedef struct {
    plan *plan;
    const plan_package *root;
    dv_map *drawn;
    dv_buf *out;
    bool last[CLI_BRANCHES_MAX];
} drawing;

/* " v1.0.0", " v1.0.0 -> v2.0.0", or nothing. */
static void add_versions(dv_buf *out, const char *from, const char *to)
{
    if (from || to)
        dv_buf_addc(out, ' ');
    cli_add_text(out, from ? from : to ? to : "");
    if (from && to && strcmp(from, to) != 0) {
        dv_buf_adds(out, " -> ");
        cli_add_text(out, to);
    }
}

static void add_package(const plan_package *p, bool again, dv_buf *out)
{
    const char *verb = verb_of(p);

    cli_add_styled(out, CLI_BOLD, p->package);
    add_versions(out, p->from, p->removed ? NULL : p->lock.version);
    dv_buf_addc(out, ' ');
    cli_add_styled(out, verb_style(verb), verb);
    dv_buf_adds(out, "  ");
    cli_add_styled(out, CLI_DIM, p->key);
    dv_buf_adds(out, again ? " ↑\n" : "\n");
}

/* One that stays as it is, so that it has no plan of its own. */
static void add_standing(const drawing *d, const dv_locked *l)
{
    cli_add_styled(d->out, CLI_BOLD, l->package);
    dv_buf_addc(d->out, ' ');
    cli_add_text(d->out, l->version);
    dv_buf_addc(d->out, ' ');
    cli_add_styled(d->out, CLI_DIM, "keep");
    dv_buf_addc(d->out, '\n');
}

static void draw_needs(drawing *d, const dv_dependencies *needs, size_t depth);

static void draw_one(drawing *d, const char *name, size_t depth)
{
    const dv_locked *locked = dv_lock_find(&d->root->lock, name);
    const plan_package *planned = plan_find_package(d->plan, name);
    bool again = dv_map_get(d->drawn, dv_str_of(name)) != NULL;

    if (!locked && !planned)
        return;
    cli_add_branches(d->out, d->last, depth);
    if (planned)
        add_package(planned, again, d->out);
    else
        add_standing(d, locked);
    if (again || !locked || depth + 1 >= CLI_BRANCHES_MAX)
        return;
    dv_map_put(d->drawn, dv_str_of(name), d);
    draw_needs(d, &locked->dependencies, depth + 1);
}

static void draw_needs(drawing *d, const dv_dependencies *needs, size_t depth)
{
    for (size_t i = 0; i < needs->n; i++) {
        d->last[depth - 1] = i + 1 == needs->n;
        draw_one(d, needs->at[i].package, depth);
    }
}

static void draw_root(drawing *d, const plan_package *root)
{
    d->root = root;
    add_package(root, dv_map_get(d->drawn, dv_str_of(root->package)) != NULL, d->out);
    if (dv_map_get(d->drawn, dv_str_of(root->package)))
        return;
    dv_map_put(d->drawn, dv_str_of(root->package), d);
    draw_needs(d, &root->lock.dependencies, 1);
}

static void draw_tree(plan *p, dv_buf *out)
{
    dv_auto(dv_map) drawn = dv_map_new(NULL);
    drawing d = {.plan = p, .drawn = drawn, .out = out};

    for (size_t i = 0; i < p->packages.n; i++)
        if (p->packages.at[i].asked)
            draw_root(&d, &p->packages.at[i]);
    for (size_t i = 0; i < p->packages.n; i++) /* what nobody in the tree needs */
        if (!dv_map_get(drawn, dv_str_of(p->packages.at[i].package)))
            draw_root(&d, &p->packages.at[i]);
}

/* ---- Objects ---- */

static void add_yaml(const json_t *object, dv_buf *yaml)
{
    dv_buf_init(yaml, DV_BODY_MAX);
    if (object)
        dv_yaml_write(object, yaml);
}

static void add_difference(const plan_object *o, dv_buf *out)
{
    DV_CLEANUP(dv_buf_done) dv_buf before;
    DV_CLEANUP(dv_buf_done) dv_buf after;

    add_yaml(o->before, &before);
    add_yaml(o->after, &after);
    cli_diff_add(out, dv_buf_str(&before), dv_buf_str(&after), 6);
}

static void add_object(const plan_object *o, bool wide, dv_buf *out)
{
    DV_CLEANUP(dv_buf_done) dv_buf name = DV_BUF_INIT(DV_PATH_MAX);

    dv_objref_add(&name, &o->ref);
    dv_buf_adds(out, "  ");
    cli_add_styled(out, actions[o->action].style, actions[o->action].mark);
    dv_buf_addc(out, ' ');
    cli_add_text(out, dv_buf_cstr(&name));
    if (o->note) {
        dv_buf_adds(out, ": ");
        cli_add_text(out, o->note);
    }
    dv_buf_addc(out, '\n');
    if (o->action == PLAN_CHANGE || (wide && o->action == PLAN_ADD))
        add_difference(o, out);
}

static bool has_news(const plan_package *p)
{
    for (size_t i = 0; i < p->objects.n; i++)
        if (p->objects.at[i].action != PLAN_SAME)
            return true;
    return p->held || p->warnings.n;
}

static void add_details(const plan_package *p, bool wide, dv_buf *out)
{
    dv_buf_addc(out, '\n');
    cli_add_styled(out, CLI_BOLD, p->package);
    add_versions(out, p->from, p->removed ? NULL : p->lock.version);
    dv_buf_addc(out, '\n');
    if (p->held) {
        dv_buf_adds(out, "  ");
        cli_add_styled(out, CLI_RED, dv_err_str(p->held));
        dv_buf_addc(out, '\n');
        cli_add_derivation(out, p->lock.explanation, 4);
    }
    for (size_t i = 0; i < p->warnings.n; i++) {
        dv_buf_adds(out, "  ");
        cli_add_styled(out, CLI_YELLOW, p->warnings.at[i]);
        dv_buf_addc(out, '\n');
    }
    for (size_t i = 0; i < p->objects.n; i++)
        if (p->objects.at[i].action != PLAN_SAME || wide)
            add_object(&p->objects.at[i], wide, out);
}

/* ---- The sum ---- */

static size_t count_verb(const plan *p, const char *verb)
{
    size_t n = 0;

    for (size_t i = 0; i < p->packages.n; i++)
        n += strcmp(verb_of(&p->packages.at[i]), verb) == 0;
    return n;
}

static void add_sum(const plan *p, dv_buf *out)
{
    static const char *const verbs[] = {"install", "upgrade", "downgrade",
                                        "replace", "remove",  "hold"};
    static const plan_action objects[] = {PLAN_ADD,   PLAN_CHANGE, PLAN_REMOVE,
                                          PLAN_LEAVE, PLAN_REFUSE, PLAN_UNKNOWN};
    size_t said = 0;

    dv_buf_adds(out, "\nPackages: ");
    for (size_t i = 0; i < DV_LEN(verbs); i++)
        if (count_verb(p, verbs[i]))
            dv_buf_addf(out, "%s%zu to %s", said++ ? ", " : "", count_verb(p, verbs[i]), verbs[i]);
    dv_buf_adds(out, said ? ". Objects: " : "nothing to do. Objects: ");
    said = 0;
    for (size_t i = 0; i < DV_LEN(objects); i++)
        if (plan_count(p, objects[i]))
            dv_buf_addf(out, "%s%zu %s%s", said++ ? ", " : "", plan_count(p, objects[i]),
                        objects[i] == PLAN_UNKNOWN || objects[i] == PLAN_REFUSE ? "" : "to ",
                        objects[i] == PLAN_REFUSE ? "in the way" : plan_action_name(objects[i]));
    dv_buf_adds(out, said ? ".\n" : "nothing to do.\n");
}

void plan_print(plan *p, bool wide, dv_buf *out)
{
    draw_tree(p, out);
    for (size_t i = 0; i < p->packages.n; i++)
        if (has_news(&p->packages.at[i]))
            add_details(&p->packages.at[i], wide, out);
    add_sum(p, out);
}

/* ---- For programs ---- */

static json_t *structure_object(const plan_object *o)
{
    json_t *row = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s*}", "action", plan_action_name(o->action),
                            "apiVersion", o->ref.api_version, "kind", o->ref.kind, "namespace",
                            o->ref.ns, "name", o->ref.name, "note", o->note);

    if (o->action == PLAN_CHANGE)
        json_object_set_new(row, "patch", dv_json_diff(o->before, o->after));
    if (o->action == PLAN_ADD && o->after)
        json_object_set(row, "object", o->after);
    return row;
}

static json_t *structure_package(const plan_package *p)
{
    json_t *objects = json_array(), *warnings = json_array();
    json_t *row =
        json_pack("{s:s,s:s,s:s,s:s*,s:s*,s:s*,s:b,s:o,s:o,s:o}", "action", verb_of(p), "package",
                  p->package, "packageManifest", p->key, "from", p->from, "to", p->lock.version,
                  "repository", p->lock.repository, "dependency", p->dependency, "needs",
                  cli_list_needs(&p->lock), "warnings", warnings, "objects", objects);

    if (p->held)
        json_object_set_new(row, "held",
                            json_pack("{s:s,s:s,s:s*}", "reason", dv_err_reason(p->held), "summary",
                                      dv_err_str(p->held), "derivation", p->lock.explanation));
    for (size_t i = 0; i < p->warnings.n; i++)
        json_array_append_new(warnings, json_string(p->warnings.at[i]));
    for (size_t i = 0; i < p->objects.n; i++)
        json_array_append_new(objects, structure_object(&p->objects.at[i]));
    return row;
}

json_t *plan_structure(plan *p)
{
    json_t *packages = json_array(), *counts = json_object();

    for (size_t i = 0; i < p->packages.n; i++)
        json_array_append_new(packages, structure_package(&p->packages.at[i]));
    for (plan_action action = PLAN_SAME; action < PLAN_ACTIONS; action++)
        json_object_set_new(counts, plan_action_name(action),
                            json_integer((json_int_t)plan_count(p, action)));
    return json_pack("{s:o,s:o}", "packages", packages, "objects", counts);
}
