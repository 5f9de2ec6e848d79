/* SPDX-License-Identifier: Apache-2.0 */
/* davit search: what the indexes of the repositories list. */
#include <ctype.h>

#include "cluster.h"

static char lower(char c)
{
    return (char)tolower((unsigned char)c);
}

/* ASCII letters of either case are the same. */
static bool holds(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (; text && *text; text++) {
        size_t i = 0;

        while (i < n && text[i] && lower(text[i]) == lower(word[i]))
            i++;
        if (i == n)
            return true;
    }
    return n == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(dv_json_str(*(json_t *const *)a, "/name"),
                  dv_json_str(*(json_t *const *)b, "/name"));
}

/* Those that hold the word, by name; owned, as is what it holds. */
static json_t *choose(const json_t *listed, const char *word)
{
    DV_VEC(json_t *) found = {0};
    json_t *chosen = json_array(), *row;
    size_t i;

    json_array_foreach(listed, i, row)
    {
        if (!word || holds(dv_json_str(row, "/name"), word) ||
            holds(dv_json_str(row, "/shortDescription"), word))
            *dv_vec_push(&found) = row;
    }
    if (found.n)
        qsort(found.at, found.n, sizeof(*found.at), by_name);
    for (i = 0; i < found.n; i++)
        json_array_append(chosen, found.at[i]);
    dv_vec_done(&found);
    return chosen;
}

static dv_err *print_names(const json_t *chosen)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    size_t i;
    json_t *row;

    json_array_foreach(chosen, i, row)
    {
        cli_add_text(&text, dv_json_str(row, "/name"));
        dv_buf_addc(&text, '\n');
    }
    return cli_print(dv_buf_str(&text));
}

static dv_err *print_rows(const json_t *chosen)
{
    static const char *const headings[] = {"NAME", "LATEST", "REPOSITORY", "DESCRIPTION", NULL};
    static const char *const members[] = {"/name", "/latestVersion", "/repository",
                                          "/shortDescription"};
    DV_CLEANUP(cli_table_done) cli_table table;
    size_t i;
    json_t *row;

    cli_table_init(&table, headings);
    json_array_foreach(chosen, i, row)
    {
        for (size_t k = 0; k < DV_LEN(members); k++)
            cli_table_add(&table, dv_json_str(row, members[k]));
    }
    return cli_print_table(&table);
}

static dv_err *print(const cli_call *call, const json_t *chosen)
{
    json_auto_t *doc = NULL;

    if (strcmp(call->options.output, "name") == 0)
        return print_names(chosen);
    if (!*call->options.output)
        return json_array_size(chosen) ? print_rows(chosen) : NULL;
    doc = json_pack("{s:O}", "packages", chosen);
    return cli_print_document(call, doc);
}

dv_err *cli_search(const cli_call *call, cli_exit *ret_exit)
{
    DV_CLEANUP(cli_session_close) cli_session session;
    DV_CLEANUP(dv_strings_done) dv_strings unread = {0};
    json_auto_t *listed = NULL, *chosen = NULL;
    const char *word = call->n ? call->args[0] : NULL;

    DV_CHECK(cli_session_open(&call->options, &session));
    DV_CHECK(cli_session_repositories(&session, /* sync= */ false));
    DV_CHECK(dv_repos_index(&session.ctx, session.repos, session.ns, &listed, &unread));
    for (size_t i = 0; i < unread.n; i++)
        cli_note("%s", unread.at[i]);
    chosen = choose(listed, word);
    if (!json_array_size(chosen)) {
        cli_note(word ? "no package has \"%s\" in its name or description"
                      : "no repository that namespace %s may use has packages",
                 word ? word : session.ns);
        *ret_exit = unread.n || session.unread ? CLI_FAILED : CLI_NO;
    }
    return print(call, chosen);
}
