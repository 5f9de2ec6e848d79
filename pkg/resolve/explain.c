/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A proof in words: numbered sentences, each resting on earlier ones it names, shared steps once.
 *
 * A step is something known without any decision (a narrowed package) or a learned rule. What
 * follows along a chain ("a needs b", "b needs c") and is used nowhere else becomes one sentence;
 * long chains are folded. A proof that is too long loses steps in its middle, and says so.
 */
#include "resolve/solver_internal.h"

/* Bytes of one sentence, of the first steps that are told, and of the last ones. */
enum { LINE_MAX_BYTES = 4000, HEAD_BYTES = 4000, TAIL_BYTES = 4000, FIRST_MAX_BYTES = 8000 };
enum { ADVICE_MAX_BYTES = 4000 };
/* Links of a chain that are told at its start and at its end. */
enum { CHAIN_HEAD = 10, CHAIN_TAIL = 6, REFS_SHOWN = 6, SOURCES_SHOWN = 10, REASONS_SHOWN = 3 };

typedef struct step step;
struct step {
    rule *reason;   /* what was learned, or what narrowed */
    uint32_t entry; /* NO_ENTRY: a learned rule */
    uint64_t order;
    size_t number; /* of the sentence it is told in */
    size_t uses;
    step *next;     /* told in the same sentence */
    bool continued; /* it is somebody's next */
    DV_VEC(step *) from;
};

typedef struct {
    solver *s;
    step *steps; /* in an order in which each rests on earlier ones */
    size_t n;
    step **of_entry; /* by trail entry */
    step **of_rule;  /* by rule id */
    step last;       /* the contradiction */
    bool folded;
} story;

/* ---- Gathering ---- */

static int by_order(const void *a, const void *b)
{
    const step *x = a, *y = b;

    return (x->order > y->order) - (x->order < y->order);
}

static void add_steps(story *t, const proof_parts *parts)
{
    solver *s = t->s;

    t->steps = dv_calloc(parts->known.n + parts->learned.n + 1, sizeof(step));
    for (size_t i = 0; i < parts->known.n; i++) {
        const uint32_t at = parts->known.at[i];
        const entry *e = &s->trail.at[at];

        /* In the order of the trail, before the rules that were learned from it. */
        t->steps[t->n++] =
            (step){.reason = e->reason, .entry = at, .order = ((uint64_t)e->stamp << 33) + at};
    }
    for (size_t i = 0; i < parts->learned.n; i++)
        t->steps[t->n++] =
            (step){.reason = parts->learned.at[i],
                   .entry = NO_ENTRY,
                   .order = ((uint64_t)parts->learned.at[i]->id << 33) + ((uint64_t)1 << 32)};
    qsort(t->steps, t->n, sizeof(step), by_order);
    t->of_entry = dv_calloc(s->trail.n + 1, sizeof(step *));
    t->of_rule = dv_calloc(s->rules + (size_t)1, sizeof(step *));
    for (size_t i = 0; i < t->n; i++) {
        step *at = &t->steps[i];

        if (at->entry == NO_ENTRY)
            t->of_rule[at->reason->id] = at;
        else
            t->of_entry[at->entry] = at;
    }
}

typedef struct {
    story *t;
    step *to;
} linking;

static void link_step(step *to, step *from)
{
    for (size_t i = 0; i < to->from.n; i++)
        if (to->from.at[i] == from)
            return;
    *dv_vec_push(&to->from) = from;
    from->uses++;
}

static void link_entry(void *context, uint32_t at)
{
    linking *l = context;

    if (l->t->of_entry[at] && l->t->of_entry[at] != l->to)
        link_step(l->to, l->t->of_entry[at]);
}

static void link_known(story *t, step *to)
{
    const entry *e = &t->s->trail.at[to->entry];
    linking l = {t, to};

    for (uint32_t i = 0; i < e->reason->n; i++) {
        const term *term_at = &e->reason->terms[i];

        if (term_at->pkg != e->pkg)
            dv_proof_entries(t->s, term_at->pkg, term_at->set, to->entry, link_entry, &l);
    }
    if (e->reason->kind == RULE_LEARNED)
        link_step(to, t->of_rule[e->reason->id]);
}

static void link_learned(story *t, step *to)
{
    linking l = {t, to};

    for (uint32_t i = 0; i < to->reason->sources_n; i++) {
        const source *from = &to->reason->sources[i];

        if (!from->rule)
            dv_proof_entries(t->s, from->pkg, from->set, from->entry, link_entry, &l);
        else if (from->rule->kind == RULE_LEARNED)
            link_step(to, t->of_rule[from->rule->id]);
    }
}

/* A learned rule about one package says what the narrowing by it says. */
static bool repeats(const step *at, const step *before)
{
    return before && before->reason == at->reason && before->reason->n == 1 && before->uses == 1;
}

/* "… asks for a, which needs b": a step that only continues the one it rests on. */
static void chain(story *t)
{
    for (size_t i = 0; i < t->n; i++) {
        step *at = &t->steps[i], *before = at->from.n == 1 ? at->from.at[0] : NULL;
        const entry *e = at->entry == NO_ENTRY ? NULL : &t->s->trail.at[at->entry];

        if (e && repeats(at, before)) {
            before->next = at;
            at->continued = true;
            continue;
        }
        if (!e || e->reason->kind != RULE_NEED || e->pkg != e->reason->terms[1].pkg || !before ||
            before->uses != 1 || before->entry == NO_ENTRY ||
            (before->reason->kind != RULE_NEED && before->reason->kind != RULE_ROOT) ||
            before->reason->ask->pkg != e->reason->terms[0].pkg)
            continue;
        before->next = at;
        at->continued = true;
    }
}

static void number(story *t)
{
    size_t next = 1;

    for (size_t i = 0; i < t->n; i++) {
        step *at = &t->steps[i];

        /* A chain is told where it ends; all it rests on is told by then. */
        if (!at->next)
            at->number = next++;
    }
    for (size_t i = t->n; i-- > 0;)
        if (t->steps[i].next)
            t->steps[i].number = t->steps[i].next->number;
    t->last.number = next;
}

static void gather(story *t)
{
    proof_parts parts;

    dv_proof_collect(t->s, &parts);
    add_steps(t, &parts);
    dv_proof_parts_done(&parts);
    for (size_t i = 0; i < t->n; i++) {
        if (t->steps[i].entry == NO_ENTRY)
            link_learned(t, &t->steps[i]);
        else
            link_known(t, &t->steps[i]);
    }
    t->last = (step){.reason = t->s->proof, .entry = NO_ENTRY};
    link_learned(t, &t->last);
    chain(t);
    number(t);
}

static void story_done(story *t)
{
    for (size_t i = 0; i < t->n; i++)
        dv_vec_done(&t->steps[i].from);
    dv_vec_done(&t->last.from);
    free(t->steps);
    free(t->of_entry);
    free(t->of_rule);
}

/* ---- Telling ---- */

/* Numbers of sentences, each once, in ascending order. */
typedef struct {
    story *t;
    DV_VEC(size_t) numbers;
} refs;

static void add_ref(refs *r, size_t sentence)
{
    size_t at = r->numbers.n;

    for (size_t i = 0; i < r->numbers.n; i++)
        if (r->numbers.at[i] == sentence)
            return;
    *dv_vec_push(&r->numbers) = sentence;
    for (; at > 0 && r->numbers.at[at - 1] > sentence; at--)
        r->numbers.at[at] = r->numbers.at[at - 1];
    r->numbers.at[at] = sentence;
}

static void add_entry_ref(void *context, uint32_t at)
{
    refs *r = context;

    if (r->t->of_entry[at])
        add_ref(r, r->t->of_entry[at]->number);
}

static void add_numbers(dv_buf *out, const refs *r)
{
    for (size_t i = 0; i < r->numbers.n && i < REFS_SHOWN; i++)
        dv_buf_addf(out, "%s%zu",
                    i == 0                  ? ""
                    : i + 1 == r->numbers.n ? " and "
                                            : ", ",
                    r->numbers.at[i]);
    if (r->numbers.n > REFS_SHOWN)
        dv_buf_addf(out, " and %zu more", r->numbers.n - REFS_SHOWN);
}

/* " (1 and 2)": all that the step rests on. */
static void add_grounds(story *t, dv_buf *out, const step *at)
{
    refs r = {.t = t};

    for (size_t i = 0; i < at->from.n; i++)
        add_ref(&r, at->from.at[i]->number);
    if (r.numbers.n) {
        dv_buf_adds(out, " (");
        add_numbers(out, &r);
        dv_buf_addc(out, ')');
    }
    dv_vec_done(&r.numbers);
}

/* ", which 1 and 2 rule out": why the package has none of what the term leaves. */
static void add_ruled_out(story *t, dv_buf *out, const term *ruled, uint32_t last)
{
    refs r = {.t = t};

    dv_proof_entries(t->s, ruled->pkg, ruled->set, last, add_entry_ref, &r);
    if (r.numbers.n) {
        dv_buf_adds(out, ", which ");
        add_numbers(out, &r);
        dv_buf_adds(out, r.numbers.n == 1 ? " rules out" : " rule out");
    }
    dv_vec_done(&r.numbers);
}

/* The chain's first step; its later ones point back by from. */
static const step *chain_start(const step *last)
{
    while (last->continued)
        last = last->from.at[0];
    return last;
}

static void add_chain(story *t, dv_buf *out, const step *first)
{
    size_t links = 0, at = 0;

    /* What only repeats its rule adds nothing. */
    if (first->next && first->next->reason == first->reason)
        return;
    for (const step *next = first->next; next; next = next->next)
        links++;
    for (const step *next = first->next; next; next = next->next, at++) {
        bool fold = links > CHAIN_HEAD + CHAIN_TAIL;

        if (fold && at == CHAIN_HEAD)
            dv_buf_addf(out, ", and so on through %zu packages to ",
                        links - CHAIN_HEAD - CHAIN_TAIL + 1);
        else if (!fold || at < CHAIN_HEAD || at > links - CHAIN_TAIL)
            dv_buf_adds(out, ", which needs ");
        t->folded |= fold;
        if (!fold || at < CHAIN_HEAD || at >= links - CHAIN_TAIL)
            dv_words_ask(out, next->reason->ask);
    }
}

/* The dependency that falls because of what it asks for. */
static bool is_backward(const story *t, const step *at)
{
    return at->entry != NO_ENTRY && at->reason->kind == RULE_NEED &&
           t->s->trail.at[at->entry].pkg == at->reason->terms[0].pkg;
}

/* The plain rules that a learned one was made from. */
static void add_sources(story *t, dv_buf *out, const rule *r)
{
    size_t shown = 0;

    for (uint32_t i = r->sources_n; i-- > 0;) { /* from what was given to where it broke */
        const rule *from = r->sources[i].rule;

        if (!from || from->kind == RULE_LEARNED)
            continue;
        if (shown++ >= SOURCES_SHOWN) {
            t->folded = true;
            continue;
        }
        dv_buf_adds(out, shown == 1 ? ", because " : "; ");
        dv_words_rule(out, from);
    }
    if (shown > SOURCES_SHOWN)
        dv_buf_addf(out, "; and %zu more of this kind", shown - SOURCES_SHOWN);
}

/* Closes the sentence, which began at `start` of out, and gives it its capital. */
static void end_sentence(dv_buf *out, size_t start)
{
    size_t at = start;

    if (out->overflow || !out->p)
        return;
    while (at < out->n &&
           (out->p[at] == ' ' || out->p[at] == '.' || (out->p[at] >= '0' && out->p[at] <= '9')))
        at++;
    if (at < out->n && out->p[at] >= 'a' && out->p[at] <= 'z')
        out->p[at] = (char)(out->p[at] - 'a' + 'A');
    dv_buf_adds(out, ".\n");
}

static void tell_denied(story *t, dv_buf *out, const entry *e)
{
    for (uint32_t i = 0; i < e->reason->n; i++)
        if (e->reason->terms[i].pkg == e->pkg)
            dv_words_denied(out, t->s, e->pkg, e->reason->terms[i].set);
}

static void tell_step(story *t, dv_buf *out, const step *last)
{
    const step *first = chain_start(last);
    const entry *e = first->entry == NO_ENTRY ? NULL : &t->s->trail.at[first->entry];

    dv_buf_addf(out, "%zu. ", last->number);
    if (e && first->reason->kind == RULE_LEARNED)
        tell_denied(t, out, e);
    else
        dv_words_rule(out, first->reason);
    if (!e)
        add_sources(t, out, first->reason);
    if (is_backward(t, first))
        add_ruled_out(t, out, &first->reason->terms[1], first->entry);
    else
        add_grounds(t, out, first);
    add_chain(t, out, first);
}

/* The contradiction: the last rule's terms all hold. */
static void tell_last(story *t, dv_buf *out)
{
    const rule *conflict = t->s->proof->sources[0].rule;
    size_t start = out->n;

    dv_buf_addf(out, t->last.number > 1 ? "%zu. Yet " : "%zu. ", t->last.number);
    dv_words_rule(out, conflict);
    if (conflict->kind == RULE_NEED)
        add_ruled_out(t, out, &conflict->terms[1], NO_ENTRY);
    else if (conflict->kind == RULE_ROOT || conflict->kind == RULE_PIN)
        add_ruled_out(t, out, &conflict->terms[0], NO_ENTRY);
    else
        add_grounds(t, out, &t->last);
    end_sentence(out, start);
}

/* One line; a line that is too long ends in dots. */
static void tell(story *t, dv_buf *out, const step *last)
{
    DV_CLEANUP(dv_buf_done) dv_buf line = DV_BUF_INIT(LINE_MAX_BYTES);

    tell_step(t, &line, last);
    end_sentence(&line, 0);
    dv_buf_add_str(out, dv_buf_str(&line));
    if (line.overflow)
        dv_buf_adds(out, " ...\n");
}

/* As many of the last steps as fit the tail; *ret_from is the first of them. */
static void tell_tail(story *t, size_t told, dv_buf *out, size_t *ret_from)
{
    DV_VEC(char *) lines = {0};
    size_t bytes = 0, i = t->n;

    while (i > told && bytes < TAIL_BYTES) {
        dv_buf line;

        i--;
        if (t->steps[i].next)
            continue;
        dv_buf_init(&line, LINE_MAX_BYTES + 8);
        tell(t, &line, &t->steps[i]);
        bytes += line.n;
        *dv_vec_push(&lines) = dv_buf_take(&line);
    }
    *ret_from = i;
    for (size_t k = lines.n; k-- > 0; free(lines.at[k]))
        dv_buf_adds(out, lines.at[k]);
    dv_vec_done(&lines);
}

static void tell_steps(story *t, dv_buf *out)
{
    DV_CLEANUP(dv_buf_done) dv_buf tail = DV_BUF_INIT(TAIL_BYTES + LINE_MAX_BYTES + 8);
    size_t i = 0, from, skipped = 0;

    for (; i < t->n && out->n < HEAD_BYTES; i++)
        if (!t->steps[i].next)
            tell(t, out, &t->steps[i]);
    tell_tail(t, i, &tail, &from);
    for (; i < from; i++)
        skipped += !t->steps[i].next;
    if (skipped) {
        t->folded = true;
        dv_buf_addf(out, "... %zu steps of this kind are left out ...\n", skipped);
    }
    dv_buf_add_str(out, dv_buf_str(&tail));
}

/* Names that folding may have swallowed, as many as there is room for. */
static void tell_packages(story *t, dv_buf *out)
{
    solver *s = t->s;
    size_t count = 0;

    s->mark++;
    dv_buf_adds(out, "Packages in this conflict: ");
    for (size_t i = 0; i <= t->n && out->n + 400 < DV_EXPLANATION_MAX; i++) {
        const step *at = i < t->n ? &t->steps[i] : &t->last;

        for (uint32_t k = 0; k < at->reason->n; k++) {
            package *p = at->reason->terms[k].pkg;

            if (p->mark == s->mark)
                continue;
            p->mark = s->mark;
            dv_buf_adds(out, count++ ? ", " : "");
            dv_words_name(out, p);
        }
    }
    dv_buf_adds(out, out->n + 400 < DV_EXPLANATION_MAX ? ".\n" : ", ...\n");
}

/* ---- The first sentence ---- */

typedef struct {
    story *t;
    dv_buf *out;
    size_t told;
} because;

static void add_because(void *context, uint32_t at)
{
    because *b = context;
    rule *reason = b->t->s->trail.at[at].reason;

    if (b->told++ >= REASONS_SHOWN)
        return;
    dv_buf_adds(b->out, b->told == 1 ? ", but " : " and ");
    reason->mark = b->t->s->mark;
    if (reason->kind == RULE_LEARNED)
        dv_words_denied(b->out, b->t->s, b->t->s->trail.at[at].pkg, reason->terms[0].set);
    else
        dv_words_rule(b->out, reason);
}

/* The term of the last rule that the others' wishes made hold: what was asked, not who asked. */
static const term *clash_of(const rule *conflict)
{
    for (uint32_t i = 0; conflict->kind == RULE_NEED && i < conflict->n; i++)
        if (conflict->terms[i].pkg == conflict->ask->pkg)
            return &conflict->terms[i];
    return conflict->n ? &conflict->terms[0] : NULL;
}

/* Those who asked at the beginning of it, unless they are told already. */
static void add_roots(story *t, dv_buf *out)
{
    size_t told = 0;

    for (size_t i = 0; i < t->n; i++) {
        const rule *r = t->steps[i].reason;

        if (r->kind != RULE_ROOT || r->mark == t->s->mark)
            continue;
        if (told++ >= REASONS_SHOWN)
            continue;
        dv_buf_adds(out, told == 1 ? "; " : ", ");
        dv_words_rule(out, r);
    }
    if (told > REASONS_SHOWN)
        dv_buf_addf(out, " and %zu more ask", told - REASONS_SHOWN);
}

/* At most max bytes, whole characters, with dots where something is gone. */
static void cut_text(dv_buf *out, size_t max)
{
    size_t at = max - 3;

    if (out->n <= max)
        return;
    while (at > 0 && ((unsigned char)out->p[at] & 0xc0) == 0x80)
        at--;
    dv_buf_cut(out, at);
    dv_buf_adds(out, "...");
}

static char *first_sentence(story *t)
{
    dv_buf out;
    rule *conflict = t->s->proof->sources[0].rule;
    const term *clash = clash_of(conflict);
    because b = {t, &out, 0};

    dv_buf_init(&out, FIRST_MAX_BYTES);
    conflict->mark = ++t->s->mark;
    dv_words_rule(&out, conflict);
    if (clash)
        dv_proof_entries(t->s, clash->pkg, clash->set, NO_ENTRY, add_because, &b);
    add_roots(t, &out);
    cut_text(&out, DV_EXPLANATION_FIRST_MAX);
    return dv_buf_take(&out);
}

/* Where there is room. */
static void add_advice(solver *s, dv_buf *out)
{
    DV_CLEANUP(dv_buf_done) dv_buf advice = DV_BUF_INIT(ADVICE_MAX_BYTES);

    dv_solver_advise(s, &advice);
    if (advice.n && !advice.overflow && out->n + advice.n + 32 < DV_EXPLANATION_MAX)
        dv_buf_addf(out, "What would help:\n%s", dv_buf_cstr(&advice));
}

void dv_solver_explain(solver *s, char **ret_first, char **ret_text)
{
    story t = {.s = s};
    dv_buf out;

    dv_buf_init(&out, DV_EXPLANATION_MAX);
    gather(&t);
    *ret_first = first_sentence(&t);
    tell_steps(&t, &out);
    tell_last(&t, &out);
    add_advice(s, &out);
    if (t.folded)
        tell_packages(&t, &out);
    *ret_text = dv_buf_take(&out);
    story_done(&t);
}
