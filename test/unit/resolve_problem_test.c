/* SPDX-License-Identifier: Apache-2.0 */
#include "testlib.h"

#include "resolve/problem.h"

#define FILE_WITH(packages, rest)                                                                  \
    "{\"format\": \"davit-resolve/1\", \"packages\": " packages ", \"root\": " rest "}"
#define FILE_2(packages, rest)                                                                     \
    "{\"format\": \"davit-resolve/2\", \"packages\": " packages ", \"root\": " rest "}"

/* says: part of the refusal; NULL: the file is read. */
static const struct row {
    const char *name, *json, *says;
} rows[] = {
    {"the smallest file", FILE_WITH("{}", "{}"), NULL},
    {"packages with and without dependencies",
     FILE_WITH("{\"a\": {\"1.0.0\": {\"b\": \"^1\"}, \"v2\": {}}, \"b\": {}}", "{\"a\": \"\"}"),
     NULL},
    {"a root that is not there", FILE_WITH("{}", "{\"ghost\": \"*\"}"), NULL},
    {"installed and pinned",
     FILE_WITH("{}", "{}, \"installed\": {\"a\": \"1.0.0+2\"}, \"pinned\": {\"b\": \"1\"}"), NULL},
    {"members that nobody knows", FILE_WITH("{}", "{}, \"x\": [1, {\"y\": [null, -1.5e3, true]}]"),
     NULL},
    {"escapes in names", FILE_WITH("{\"\\u00e9\\ud83d\\ude00\\n\": {\"1.0.0\": {}}}", "{}"), NULL},
    {"format anywhere", "{\"root\": {}, \"packages\": {}, \"format\": \"davit-resolve/1\"}", NULL},
    {"white space anywhere",
     " \r\n\t{ \"format\" : \"davit-resolve/2\" ,\"packages\":{ },\"root\":{\n} } ", NULL},
    {"a version with a repository",
     FILE_2("{\"a\": {\"1.0.0\": {\"deps\": {\"b\": \"1\"}, \"repository\": \"x\"}}}",
            "{}, \"repositories\": {\"x\": -5}"),
     NULL},
    {"a dependency called deps", FILE_2("{\"a\": {\"1.0.0\": {\"deps\": \"^1\"}}}", "{}"), NULL},

    {"nothing", "", "line 1"},
    {"an array", "[]", "an object must stand here"},
    {"no JSON", "{\"format\": davit}", "a text must stand here"},
    {"half a file", "{\"format\": \"davit-resolve/1\", \"packages\": {\"a\": ", "line 1"},
    {"something behind the end", FILE_WITH("{}", "{}") "x", "something follows the end"},
    {"another format", "{\"format\": \"davit-resolve/3\", \"packages\": {}, \"root\": {}}",
     "\"format\" must be"},
    {"no format", "{\"packages\": {}, \"root\": {}}", "must be there"},
    {"no packages", "{\"format\": \"davit-resolve/1\", \"root\": {}}", "must be there"},
    {"no root", "{\"format\": \"davit-resolve/1\", \"packages\": {}}", "must be there"},
    {"packages in an array", FILE_WITH("[]", "{}"), "an object must stand here"},
    {"a version in a number", FILE_WITH("{\"a\": {\"1.0.0\": 1}}", "{}"),
     "an object must stand here"},
    {"a constraint in a number", FILE_WITH("{\"a\": {\"1.0.0\": {\"b\": 1}}}", "{}"),
     "a text must stand here"},
    {"a version that is none", FILE_WITH("{\"a\": {\"latest\": {}}}", "{}"),
     "\"latest\" is not a version"},
    {"a version with a worded build", FILE_WITH("{\"a\": {\"1.0.0+x\": {}}}", "{}"), "digits only"},
    {"a constraint that is none", FILE_WITH("{\"a\": {\"1.0.0\": {\"b\": \"=>=1\"}}}", "{}"),
     "is not a constraint"},
    {"a build in a constraint", FILE_WITH("{}", "{\"a\": \"1.0.0+1\"}"), "build metadata"},
    {"installed that is no version", FILE_WITH("{}", "{}, \"installed\": {\"a\": \"\"}"),
     "is not a version"},
    {"pinned that is no version", FILE_WITH("{}", "{}, \"pinned\": {\"a\": \"^1\"}"),
     "is not a version"},
    {"a name twice in packages", FILE_WITH("{\"a\": {}, \"a\": {}}", "{}"), "twice"},
    {"a version twice", FILE_WITH("{\"a\": {\"1\": {}, \"2\": {}, \"1\": {}}}", "{}"), "twice"},
    {"one version in two texts",
     FILE_WITH("{\"a\": {\"1.0\": {}, \"2\": {}, \"v1.0.0\": {}}}", "{}"), "say the same version"},
    {"one build in two texts", FILE_WITH("{\"a\": {\"1.0.0+1\": {}, \"1.0.0+01\": {}}}", "{}"),
     "say the same version"},
    {"a version with and without a build", FILE_WITH("{\"a\": {\"1\": {}, \"1.0.0+0\": {}}}", "{}"),
     NULL},
    {"a dependency twice", FILE_WITH("{\"a\": {\"1\": {\"b\": \"\", \"b\": \"\"}}}", "{}"),
     "twice"},
    {"a member twice", FILE_WITH("{}", "{}, \"root\": {}"), "twice"},
    {"NUL in a name", FILE_WITH("{\"a\\u0000\": {}}", "{}"), "NUL"},
    {"half a surrogate pair", FILE_WITH("{\"\\ud800\": {}}", "{}"), "not JSON"},
    {"an unknown escape", FILE_WITH("{\"\\x\": {}}", "{}"), "not JSON"},
    {"a control character", FILE_WITH("{\"\n\": {}}", "{}"), "line "},
    {"bytes that are not UTF-8", FILE_WITH("{\"\xff\": {}}", "{}"), "not UTF-8"},
    {"a comma too many", FILE_WITH("{\"a\": {},}", "{}"), "a text must stand here"},
    {"a leading zero", FILE_WITH("{}", "{}, \"x\": 01"), "not JSON"},
    {"a repository that is not listed",
     FILE_2("{\"a\": {\"1.0.0\": {\"deps\": {}, \"repository\": \"y\"}}}",
            "{}, \"repositories\": {\"x\": 1}"),
     "\"repositories\" lacks"},
    {"a repository in the first format",
     FILE_WITH("{\"a\": {\"1.0.0\": {\"deps\": {}, \"repository\": \"x\"}}}", "{}"),
     "a text must stand here"},
    {"a priority that is no integer", FILE_2("{}", "{}, \"repositories\": {\"x\": 1.5}"),
     "an integer"},
    {"an unknown member of a version",
     FILE_2("{\"a\": {\"1.0.0\": {\"deps\": {}, \"x\": \"\"}}}", "{}"),
     "\"deps\" and \"repository\""},
    {"the line is told", "{\n\"format\": \"davit-resolve/1\",\n\"packages\": 1}", "line 3"},
};

static void row_is_read(void **state)
{
    const struct row *row = *state;
    dv_auto(dv_problem_file) file = NULL;
    dv_err *err = dv_problem_read(dv_str_of(row->json), &file);

    if (!row->says) {
        assert_ok(err);
        assert_non_null(file);
        return;
    }
    assert_string_equal(dv_err_reason(err), "BadProblem");
    assert_err(err, DV_INVALID, row->says);
    assert_null(file);
}

/* The choices as "a=1 b=2", or the first sentence of the conflict. */
static char *answer(const char *json)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_solution_done) dv_solution solution = {0};
    dv_auto(dv_problem_file) file = NULL;
    dv_ctx ctx = dv_ctx_make(NULL);

    assert_ok(dv_problem_read(dv_str_of(json), &file));
    dv_auto(dv_err) err = dv_resolve(&ctx, dv_problem_file_problem(file),
                                     dv_problem_file_candidates(file), &solution, NULL);
    if (err)
        dv_buf_adds(&out, dv_err_str(err));
    for (size_t i = 0; i < solution.choices.n; i++)
        dv_buf_addf(&out, "%s%s=%s", i ? " " : "", solution.choices.at[i].package,
                    solution.choices.at[i].version);
    return dv_buf_take(&out);
}

#define REPOSITORIES "\"repositories\": {\"high\": 10, \"low\": 1}"

static const struct choice {
    const char *name, *json, *want;
} choices[] = {
    {"a lower repository's newer version is no candidate",
     FILE_2("{\"a\": {\"1.0.0\": {\"deps\": {}, \"repository\": \"high\"},"
            " \"9.0.0\": {\"deps\": {}, \"repository\": \"low\"}}}",
            "{\"a\": \"\"}, " REPOSITORIES),
     "a=1.0.0"},
    {"a lower repository serves what the higher lacks",
     FILE_2("{\"a\": {\"1.0.0\": {\"deps\": {\"b\": \"\"}, \"repository\": \"high\"}},"
            " \"b\": {\"9.0.0\": {\"deps\": {}, \"repository\": \"low\"}}}",
            "{\"a\": \"\"}, " REPOSITORIES),
     "a=1.0.0 b=9.0.0"},
    {"the filter is no preference",
     FILE_2("{\"a\": {\"1.0.0\": {\"deps\": {}, \"repository\": \"high\"},"
            " \"9.0.0\": {\"deps\": {}, \"repository\": \"low\"}}}",
            "{\"a\": \"^9\"}, " REPOSITORIES),
     "the root asks for `a` ^9, of which there is only 1.0.0 in repository high, which goes before "
     "low"},
    {"all repositories of the highest priority are named",
     FILE_2("{\"a\": {\"1.0.0\": {\"deps\": {}, \"repository\": \"y\"},"
            " \"2.0.0\": {\"deps\": {}, \"repository\": \"x\"}}}",
            "{\"a\": \"^9\"}, \"repositories\": {\"x\": 1, \"y\": 1}"),
     "the root asks for `a` ^9, of which there are only 1.0.0 and 2.0.0 in repositories x, y"},
    {"without a repository the priority is 0",
     FILE_2("{\"a\": {\"1.0.0\": {}, \"0.9.0\": {\"deps\": {}, \"repository\": \"low\"}}}",
            "{\"a\": \"\"}, " REPOSITORIES),
     "a=0.9.0"},
    {"a pin holds",
     FILE_WITH("{\"a\": {\"1.0.0\": {}, \"2.0.0\": {}}}",
               "{\"a\": \"\"}, \"pinned\": {\"a\": \"1\"}"),
     "a=1.0.0"},
    {"a pin that is not needed asks for nothing",
     FILE_WITH("{\"a\": {\"1.0.0\": {}}, \"b\": {\"1.0.0\": {}}}",
               "{\"a\": \"\"}, \"pinned\": {\"b\": \"1.0.0\"}"),
     "a=1.0.0"},
    {"a pin that clashes is named",
     FILE_WITH("{\"a\": {\"1.0.0\": {}, \"2.0.0\": {}}}",
               "{\"a\": \"^2\"}, \"pinned\": {\"a\": \"1.0.0\"}"),
     "the root asks for `a` ^2, but `a` is pinned to 1.0.0"},
    {"what is installed stays",
     FILE_WITH("{\"a\": {\"1.0.0\": {}, \"2.0.0\": {}}}",
               "{\"a\": \"\"}, \"installed\": {\"a\": \"v1.0\"}"),
     "a=1.0.0"},
    {"what is installed goes before the newest root",
     FILE_WITH("{\"a\": {\"1.0.0\": {\"b\": \"^1\"}, \"2.0.0\": {\"b\": \"^2\"}},"
               " \"b\": {\"1.0.0\": {}, \"2.0.0\": {}}}",
               "{\"a\": \"\"}, \"installed\": {\"b\": \"1.0.0\"}"),
     "a=1.0.0 b=1.0.0"},
    {"what was installed and is gone counts for nothing",
     FILE_WITH("{\"a\": {\"1.0.0\": {}, \"2.0.0\": {}}}",
               "{\"a\": \"\"}, \"installed\": {\"a\": \"1.5.0\", \"z\": \"1.0.0\"}"),
     "a=2.0.0"},
    {"without a range a release goes before a newer pre-release",
     FILE_WITH("{\"a\": {\"1.0.0\": {}, \"2.0.0-rc.1\": {}}}", "{\"a\": \"\"}"), "a=1.0.0"},
    {"without a release the newest pre-release",
     FILE_WITH("{\"a\": {\"1.0.0-rc.1\": {}, \"2.0.0-rc.1\": {}}}", "{\"a\": \"\"}"),
     "a=2.0.0-rc.1"},
    {"a range that opens pre-releases means them",
     FILE_WITH("{\"a\": {\"1.0.0\": {}, \"2.0.0-rc.1\": {}}}", "{\"a\": \">=1.0.0-0\"}"),
     "a=2.0.0-rc.1"},
    {"a dependency's range that opens pre-releases means them, too",
     FILE_WITH("{\"a\": {\"1.0.0\": {}, \"2.0.0-rc.1\": {}}, \"b\": {\"1.0.0\": {\"a\": \"*-0\"}}}",
               "{\"b\": \"\"}"),
     "a=2.0.0-rc.1 b=1.0.0"},
    {"the newest build",
     FILE_WITH("{\"a\": {\"1.0.0+9\": {}, \"1.0.0+10\": {}, \"1.0.0\": {}}}",
               "{\"a\": \"=1.0.0\"}"),
     "a=1.0.0+10"},
    {"roots in order of name get their newest",
     FILE_WITH("{\"a\": {\"1.0.0\": {\"x\": \"1\"}, \"2.0.0\": {\"x\": \"2\"}},"
               " \"b\": {\"1.0.0\": {\"x\": \"2\"}, \"2.0.0\": {\"x\": \"1\"}},"
               " \"x\": {\"1.0.0\": {}, \"2.0.0\": {}}}",
               "{\"b\": \"\", \"a\": \"\"}"),
     "a=2.0.0 b=1.0.0 x=2.0.0"},
    {"a version text is given back as it is",
     FILE_WITH("{\"a\": {\"v01.2\": {}}}", "{\"a\": \"1.2\"}"), "a=v01.2"},
    {"a name with escapes",
     FILE_WITH("{\"\\u0061\\\"b\": {\"1.0.0\": {\"\\u0063\": \"\"}}, \"c\": {\"1\": {}}}",
               "{\"a\\\"b\": \"\"}"),
     "a\"b=1.0.0 c=1"},
    {"a package without versions", FILE_WITH("{\"a\": {}}", "{\"a\": \"\"}"),
     "the root asks for `a`, which has no version"},
    {"a package that nobody has", FILE_WITH("{}", "{\"a\": \"\"}"),
     "the root asks for \"a\", which nobody has"},
};

static void choice_is_made(void **state)
{
    const struct choice *row = *state;
    DV_CLEANUP(dv_freep) char *got = answer(row->json);

    assert_string_equal(got, row->want);
}

static void equal_names_are_found_among_many(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT(DV_LINE_MAX);
    dv_auto(dv_problem_file) file = NULL;

    (void)state;
    dv_buf_adds(&json,
                "{\"format\": \"davit-resolve/1\", \"root\": {}, \"packages\": {\"a\": {\"1\": {");
    for (int i = 0; i < 40; i++)
        dv_buf_addf(&json, "\"p%d\": \"\", ", i);
    dv_buf_adds(&json, "\"p7\": \"\"}}}}");
    assert_err(dv_problem_read(dv_buf_str(&json), &file), DV_INVALID, "twice");
}

static void nesting_is_bounded(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto(dv_problem_file) file = NULL;

    (void)state;
    dv_buf_adds(&json, "{\"x\": ");
    dv_buf_fill(&json, '[', 1000000);
    assert_err(dv_problem_read(dv_buf_str(&json), &file), DV_INVALID, "nested too deeply");
}

int main(void)
{
    dv_suite suite = {.name = "resolve/problem"};

    DV_TABLE(&suite, row_is_read, rows);
    DV_TABLE(&suite, choice_is_made, choices);
    DV_TEST(&suite, equal_names_are_found_among_many);
    DV_TEST(&suite, nesting_is_bounded);
    return dv_suite_run(&suite);
}
