/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The solver's inside: conflict-driven search over sets of versions.
 *
 * The value of a package is one of its versions or "absent". Its *domain* is the set of values
 * still possible (sets.h). A *rule* is a list of terms (package, set of values) that must not
 * all hold at once:
 *
 *     web 2.x needs db ^3          not (web in {2.0, 2.1} and db in {absent, 1.0, 2.0})
 *     a root asks for web ^2       not (web in {absent, 1.0})
 *
 * A term holds when the domain lies within its set. When all terms of a rule but one hold, the
 * values of that one go from its package's domain (unit propagation); when all hold, there is a
 * conflict, and resolving the rule with the reasons of what was narrowed gives a new rule that
 * would have prevented it, which sends the search back to the level where it bites (learn.c).
 *
 *     expand a version ──► rules ──► propagate ──► decide the next package ──► …
 *                            ▲           │ conflict
 *                            └─ learn ◄──┘
 *
 * Nothing scans all packages: rules hang at the packages of their terms. Those with two terms
 * (dependencies) are found through the dependant's list and through the *ask* (all that need one
 * package in one range hang together); learned rules through two watched terms.
 *
 * Memory lives in the solver's arena, but for growing arrays and version texts.
 *
 * Threads: owner.
 */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "resolve/problem_internal.h"
#include "resolve/sets.h"

/* Versions of one package; more are refused. */
#define DV_RESOLVE_VERSIONS_MAX 65535
/* Packages that a run looks at. */
#define DV_RESOLVE_PACKAGES_MAX 1000000
/* Dependencies of one version. */
#define DV_RESOLVE_DEPENDENCIES_MAX 10000
/* What the search may hold. */
#define DV_RESOLVE_MEMORY_MAX ((size_t)2 * 1024 * 1024 * 1024)
/* Conflicts after which a problem counts as too hard. */
#define DV_RESOLVE_CONFLICTS_MAX 2000000

#define NO_ENTRY UINT32_MAX

typedef enum {
    RULE_NEED,     /* a dependency: terms 0 the dependant, 1 what is denied of the other */
    RULE_ROOT,     /* a root's demand */
    RULE_PIN,      /* a person's choice */
    RULE_UNUSABLE, /* a version that nobody can have, for what note says */
    RULE_LEARNED,  /* follows from its sources */
} rule_kind;

typedef struct package package;
typedef struct rule rule;
typedef struct ask ask;

typedef struct {
    package *pkg;
    dv_word *set;
} term;

/* Where a learned rule comes from: a rule, or what was known without any decision. */
typedef struct {
    rule *rule;         /* NULL: known without a decision */
    package *pkg;       /* then: it was narrowed, at trail entry `entry` at the latest, */
    const dv_word *set; /* to values within set; NULL: not noted, all its narrowings count */
    uint32_t entry;
} source;

struct rule {
    rule_kind kind;
    uint32_t n;
    uint32_t id;   /* in order of making */
    uint32_t mark; /* proof.c */
    uint32_t span; /* RULE_LEARNED: levels that its terms tied together */
    bool unwatched;
    uint32_t hangs_at, asks_at; /* RULE_NEED: where, in the lists of the two packages */
    uint32_t sources_n;
    source *sources;  /* RULE_LEARNED; RULE_NEED that was joined from others (proof.c) */
    ask *ask;         /* RULE_NEED, RULE_ROOT: what is asked */
    const char *note; /* RULE_ROOT, RULE_PIN: who, may be NULL; RULE_UNUSABLE: why */
    term terms[];
};

/*
 * A dependant's rule, with what decides most of the time without a look at rule and package: where
 * `dom` and `first` have nothing in common, the dependant has none of the versions. (Of a domain
 * of several words both are a word that says nothing.)
 */
typedef struct {
    dv_word first;      /* of the dependant's set */
    const dv_word *dom; /* of the dependant */
    rule *rule;
} need_ref;

/* All that needs one package in one set of versions. */
struct ask {
    package *pkg;
    dv_word *allow, *deny;  /* complements; absent is denied */
    const char *range;      /* as it was first written; "": any version; NULL: joined (proof.c) */
    DV_VEC(need_ref) needs; /* RULE_NEED */
};

/* With the first word of what it allows, which alone decides for most packages. */
typedef struct {
    dv_word first;
    ask *ask;
} ask_ref;

/* A learned rule with this package's term among its first two, and that set's first word. */
typedef struct {
    rule *rule;
    dv_word first;
} watch;

typedef struct {
    dv_version v; /* v.text is the candidate's text, NUL-terminated */
    bool expanded;
    bool opaque; /* not a version in the sense of ranges; only a root without one takes it */
} version;

struct package {
    /* What propagation looks at stands first, close together. */
    dv_word *dom; /* in solver.domains */
    uint32_t words, values;
    uint32_t last; /* its newest trail entry, or NO_ENTRY */
    uint32_t id;   /* in order of discovery */
    DV_VEC(ask_ref) asks;
    DV_VEC(watch) watches;
    DV_VEC(need_ref) needs; /* RULE_NEED with this package as the dependant */
    bool decidable;         /* in the heap */
    bool in_work, work_now, work_listed;
    bool loaded;     /* in solver.loaded */
    const ask *hope; /* ahead.c; NULL: not looked at ahead */
    uint32_t heap_at;
    uint32_t rank;   /* of a root, in order of name; UINT32_MAX: no root */
    double activity; /* how much it took part in conflicts lately */
    dv_word *work;   /* learn.c: the package's term in the rule being learned */
    version *versions;
    uint32_t installed; /* value, 0: none or not among the versions */
    uint32_t mark;
    uint32_t conflicts;  /* after which a learned rule narrowed it */
    uint32_t unreadable; /* version texts that were skipped */
    bool known;          /* somebody has the name */
    const char *name;
    const char *pinned; /* text; NULL: not pinned */
    const char *origin; /* "repository main"; NULL: not known */
    dv_strings texts;
    const problem_fixed *fixed;
    DV_VEC(rule *) facts; /* RULE_ROOT, RULE_PIN, RULE_UNUSABLE about this package */
};

/* One narrowing of one domain. */
typedef struct {
    package *pkg;
    rule *reason; /* NULL: a decision */
    uint32_t level;
    uint32_t prev;  /* the package's entry before, or NO_ENTRY */
    size_t old;     /* the domain before, in solver.undo */
    uint32_t stamp; /* rules made before it */
    uint32_t mark;  /* proof.c */
} entry;

typedef struct {
    rule *rule;
    uint32_t level;
} late;

/* What a problem says of packages, by name: a problem_fixed opens with one, too. */
typedef DV_VEC(const problem_version *) named;

typedef struct solver {
    dv_ctx *ctx;
    const dv_problem *problem;
    const dv_candidates *candidates;
    dv_arena *arena;
    dv_arena *domains;   /* close together: they are looked at more than all else */
    dv_map *packages;    /* name -> package */
    dv_map *constraints; /* text -> dv_constraint; what can't be read is not in it */
    dv_map *asks;        /* package and constraint -> ask */
    dv_map *same_needs;  /* dependant and ask -> rule */
    named given_installed, given_pinned, given_fixed;
    DV_VEC(package *) by_id;
    DV_VEC(entry) trail;
    DV_VEC(dv_word) undo;
    DV_VEC(uint32_t) level_starts; /* trail length when level i + 1 began */
    size_t head;                   /* trail entries before it are propagated */
    DV_VEC(late) late;             /* rules that may bite below the level they were made at */
    DV_VEC(package *) forced;      /* see dv_solver_is_forced() */
    DV_VEC(package *) heap;        /* needed, undecided; see order.c */
    DV_VEC(package *) installed;   /* known packages with an installed version, by name */
    uint32_t roots;
    DV_VEC(package *) work; /* learn.c */
    DV_VEC(rule *) watched; /* forget.c */
    DV_VEC(uint32_t) level_marks;
    uint32_t level_mark, since_restart, restarts, forgets;
    size_t installed_next;    /* decided up to here */
    uint32_t installed_level; /* level at which all of installed were settled */
    bool installed_fresh;
    rule *conflict; /* all its terms hold */
    uint32_t rules, conflicts;
    double weight;             /* of a conflict, for order.c */
    uint64_t steps, steps_max; /* narrowings looked at; 0: without end */
    uint64_t effort, looked;   /* sets compared; then, when limits were looked at last */
    uint32_t mark;             /* proof.c: of the walk that is on */
    bool looks_ahead;
    bool closed;              /* explaining: only the rules that are loaded count */
    bool forward;             /* only from a dependant to what it needs */
    DV_VEC(package *) loaded; /* packages of those rules, each once */
    DV_VEC(source) sources;   /* learn.c: of the rule being learned */
    rule *proof;              /* the rule without terms, when there is no solution */
} solver;

static inline uint32_t level_of(const solver *s)
{
    return (uint32_t)s->level_starts.n;
}

static inline const dv_word *entry_old(const solver *s, const entry *e)
{
    return s->undo.at + e->old;
}

static inline bool is_needed(const package *p)
{
    return !(p->dom[0] & 1);
}

static inline bool is_settled(const package *p)
{
    return dv_set_single(p->dom, p->words);
}

/* ---- universe.c: packages, versions and dependencies, asked for when they are looked at ---- */

/* Lists the versions the first time. Fails as candidates->versions does, but for NOT_FOUND. */
DV_MUST_USE dv_err *dv_solver_find_package(solver *s, const char *name, package **ret_package);
/* Makes the rules of one version of p. Fails as candidates->dependencies does. */
DV_MUST_USE dv_err *dv_solver_expand(solver *s, package *p, size_t value);
DV_MUST_USE dv_err *dv_solver_add_roots(solver *s);
/* A row of p in the arena, empty. */
dv_word *dv_solver_row(solver *s, const package *p);
rule *dv_solver_rule_new(solver *s, rule_kind kind, uint32_t n);
/* A RULE_NEED wakes when its dependant moves; backwards: when what it asks for moves, too. */
void dv_solver_hang_need(rule *r, bool backwards);

/* ---- propagate.c ---- */

/* Applies the rule if at most one of its terms does not hold; false: more do not. */
bool dv_solver_check_rule(solver *s, rule *r);
/* The rule is made at the current level but may bite at lower ones: watched over until level 0. */
void dv_solver_add_late(solver *s, rule *r);
/* Takes the values of deny from the domain; sets s->conflict when none is left. */
void dv_solver_narrow(solver *s, package *p, const dv_word *deny, rule *reason);
/* Until nothing follows any more, s->conflict is set, or a look at the limits is due. */
void dv_solver_propagate(solver *s);
void dv_solver_decide(solver *s, package *p, const dv_word *deny);
void dv_solver_backjump(solver *s, uint32_t level);
/* Of a learned rule with two terms or more: wakes it through its first two. */
void dv_solver_watch(rule *r);

/* ---- learn.c ---- */

/* Turns s->conflict into a rule and goes back to where it bites. False: s->proof is complete. */
DV_MUST_USE bool dv_solver_learn(solver *s);

/* The entry through which the term began to hold; NO_ENTRY: it always did. */
uint32_t dv_solver_holds_since(const solver *s, const package *p, const dv_word *set);

/* ---- solve.c ---- */

/* Sets compared between two looks at the clock and at what is used. */
#define DV_RESOLVE_EFFORT_PER_LOOK ((uint64_t)1 << 20)
static inline bool dv_solver_is_due(const solver *s)
{
    return s->effort - s->looked >= DV_RESOLVE_EFFORT_PER_LOOK;
}
/* When it is due. INVALID "ProblemTooHard": a limit is passed. Else as dv_ctx_check(). */
DV_MUST_USE dv_err *dv_solver_look(solver *s);

/* *ret_solved: false where s->proof is complete. Past steps_max it gives up, as if solved. */
DV_MUST_USE dv_err *dv_solver_search(solver *s, bool *ret_solved);
/* Solves another problem with the same candidates; past steps_max narrowings it is not solved. */
DV_MUST_USE dv_err *dv_solver_try(const solver *like, const dv_problem *problem, uint64_t steps_max,
                                  dv_solution *ret_solution, bool *ret_solved);
/* Forgets everything but the packages; then only the given rules, none learned, count. */
void dv_solver_load(solver *s, rule *const *rules, size_t n);

/* ---- proof.c ---- */

typedef DV_VEC(rule *) rules;
typedef DV_VEC(uint32_t) entries;
/* All that s->proof rests on; all have s->mark. */
typedef struct {
    rules leaves;  /* not learned, in order of making */
    rules learned; /* the proof itself left out */
    entries known; /* of the trail, at level 0 */
} proof_parts;
void dv_proof_collect(solver *s, proof_parts *ret_parts);
void dv_proof_parts_done(proof_parts *parts);
/*
 * Calls back with each trail entry that made the package's values come within set, up to and
 * with entry `last`; set NULL: each entry at all.
 */
void dv_proof_entries(const solver *s, const package *p, const dv_word *set, uint32_t last,
                      void (*visit)(void *context, uint32_t entry), void *context);
/* Proves once more with as few rules as a budget of steps finds. Fails as dv_ctx_check() does. */
DV_MUST_USE dv_err *dv_proof_shrink(solver *s);

/* ---- forget.c ---- */

/* Of a rule just learned, at the level of its conflict. */
void dv_solver_note_learned(solver *s, rule *r);
/* Between two conflicts: restarts and drops watches when it is time. */
void dv_solver_forget(solver *s);

/* ---- order.c ---- */

void dv_solver_heap_add(solver *s, package *p);
void dv_solver_heap_raise(solver *s, package *p);
/* NULL: every needed package is settled. */
package *dv_solver_next(solver *s);
/* ---- ahead.c ---- */

/* One version is left, or one is looked at ahead: it is expanded before anything is decided. */
bool dv_solver_is_forced(const solver *s, const package *p);
/* Fails as dv_solver_expand() does. */
DV_MUST_USE dv_err *dv_solver_expand_forced(solver *s);
/* From now on what is possible at all is found without decisions; goes back to level 0. */
void dv_solver_look_ahead(solver *s);

/* The value to try, which the domain has. */
size_t dv_solver_pick(const package *p);
/* The newest version of the domain that the ask allows, releases first without a range; 0: none. */
size_t dv_solver_pick_for(const package *p, const ask *a);

/* ---- polish.c ---- */

/* Of a found solution: raises what can be raised alone, drops what nobody needs. */
DV_MUST_USE dv_err *dv_solver_polish(solver *s);

/* ---- words.c: how packages and sets of versions are called ---- */

/* `web`; "web" where nobody has the name. */
void dv_words_name(dv_buf *out, const package *p);
/* `web` 1.0.0 to 1.4.2; "every version of `web`". Absent doesn't count; last: " and ", " or ". */
void dv_words_set(dv_buf *out, const package *p, const dv_word *set, const char *last);
/* `web` ^1, in the words of who asked. */
void dv_words_ask(dv_buf *out, const ask *a);
/* "the root asks for `web` ^1" and the like: what a rule says, without a dot. */
void dv_words_rule(dv_buf *out, const rule *r);
/* What remains when deny is taken away: "`web` 1.0.0 is out" or "`web` 2.0.0 is needed". */
void dv_words_denied(dv_buf *out, solver *s, const package *p, const dv_word *deny);

/* A version's text, cut and made harmless. */
void dv_words_version(dv_buf *out, const char *text);
/* "the root did not ask for `web` ^1", of a root or a pin. */
void dv_words_undemanded(dv_buf *out, const rule *r);

/* ---- advice.c ---- */

/* Of s->proof: a sentence for each demand without which the others can be met, a line each. */
void dv_solver_advise(solver *s, dv_buf *out);

/* ---- explain.c ---- */

/* The text of s->proof; owned. *ret_first: its shortest form, one sentence, owned. */
void dv_solver_explain(solver *s, char **ret_first, char **ret_text);
