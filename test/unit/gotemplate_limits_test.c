/* SPDX-License-Identifier: Apache-2.0 */
/* Templates that want too much end, soon and with a sentence. */
#include "gotemplate_world.h"

#include "base/sync.h"

#define SMALL_MEMORY ((size_t)4 * 1024 * 1024)
#define SMALL_OUTPUT ((size_t)256 * 1024)
#define FEW_STEPS ((uint64_t)200000)

static const struct row {
    const char *name, *text, *reason;
} rows[] = {
    {"a long loop", "{{ range 1000000000 }}{{ end }}", "TooManySteps"},
    {"loops in loops",
     "{{ range 1000 }}{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}{{ end "
     "}}",
     "TooManySteps"},
    {"much output", "{{ range 100000 }}0123456789{{ end }}", "TooLarge"},
    {"a text that is repeated", "{{ repeat 1000000000 \"x\" }}", "TooLarge"},
    {"a text that doubles",
     "{{ $x := \"0123456789\" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}{{ len $x }}",
     "TooLarge"},
    {"a wide number", "{{ printf \"%0999999d\" 1 }}{{ printf \"%999999d\" 1 }}", "TooLarge"},
    {"a deep indent", "{{ indent 1000000000 \"a\\nb\" }}", "TooLarge"},
    {"a long row of numbers", "{{ until 1000000000 | len }}", "TooLarge"},
    {"a list that doubles", "{{ $l := list 1 2 }}{{ range 40 }}{{ $l = concat $l $l }}{{ end }}",
     "TooLarge"},
    {"a dict that is copied",
     "{{ $d := dict \"a\" 1 }}{{ range 40 }}{{ $d = deepCopy (dict \"a\" $d \"b\" $d) }}{{ end }}",
     "Too"},
    {"a list compared with itself",
     "{{ $l := list }}{{ range 40 }}{{ $l = list $l $l }}{{ end }}{{ $m := deepEqual $l (list $l) "
     "}}{{ has $l $l }}",
     NULL},
    {"two lists that look alike",
     "{{ $l := list }}{{ $m := list }}{{ range 60 }}{{ $l = list $l $l }}{{ $m = list $m $m }}{{ "
     "end }}{{ has $l (list $m) }}",
     NULL},
    {"YAML of a list that doubles",
     "{{ $l := list 1 }}{{ range 60 }}{{ $l = list $l $l }}{{ end }}{{ toYaml $l }}", "TooLarge"},
    {"TOML of a list that doubles",
     "{{ $l := list 1 }}{{ range 60 }}{{ $l = list $l $l }}{{ end }}{{ toToml (dict \"a\" $l) }}",
     NULL},
    {"a long text looked at again and again",
     "{{ $t := repeat 200000 \"x\" }}{{ range 100000 }}{{ $_ := contains \"y\" $t }}{{ end }}",
     "TooManySteps"},
    {"a list that prints twice as long",
     "{{ $l := list \"x\" }}{{ range 40 }}{{ $l = list $l $l }}{{ end }}{{ $l }}", "TooLarge"},
    {"JSON twice as long",
     "{{ $l := list \"x\" }}{{ range 40 }}{{ $l = list $l $l }}{{ end }}{{ toJson $l }}",
     "TooLarge"},
    {"templates that call themselves",
     "{{ define \"x\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}", "TooDeep"},
    {"includes that call themselves",
     "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}", "T"},
    {"tpl in tpl", "{{ $t := \"{{ tpl . . }}\" }}{{ tpl $t $t }}", "T"},
    {"many texts for tpl",
     "{{ range $i := until 100000 }}{{ tpl (printf \"{{ %d }}{{ if 1 }}{{ end }}\" $i) $ }}{{ end "
     "}}",
     "Too"},
    {"many keys", "{{ range 100 }}{{ $_ := genPrivateKey \"rsa\" }}{{ end }}", "TooManySteps"},
    {"random without end", "{{ randAlphaNum 1000000000 }}", "TooManySteps"},
    {"random bytes without end", "{{ randBytes 1000000000000 }}", "TooManySteps"},
    {"YAML that explodes",
     "{{ fromYaml \"a: &a [x,x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c "
     "[*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\\n"
     "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\" | len }}",
     "TooLarge"},
};

static void row_ends(void **state)
{
    const struct row *row = *state;
    const dv_run_options options = {.missing_key = DV_MISSING_ZERO, .steps_max = FEW_STEPS};
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(SMALL_OUTPUT);
    dv_buf_adds(&out, "before");
    dv_auto(dv_err) err = render_with(row->text, "{}", &options, SMALL_MEMORY, &out);

    if (!row->reason) {
        assert_null(err);
        return;
    }
    assert_non_null(err);
    if (strncmp(dv_err_reason(err), row->reason, strlen(row->reason)) != 0)
        fail_msg("%s: %s", dv_err_reason(err), dv_err_str(err));
    assert_string_equal(dv_buf_cstr(&out), "before");
}

static void include_has_go_s_limit_where_the_stack_allows(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf message = DV_BUF_INIT(DV_BODY_MAX);
    const dv_run_options options = {.stack_bytes = (size_t)6 * 1024 * 1024, .message = &message};
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(SMALL_OUTPUT);

    dv_auto(dv_err) err =
        render_with("{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}", "{}",
                    &options, TEST_MEMORY, &out);
    assert_non_null(err);
    if (strcmp(dv_err_reason(err), "TooDeep") != 0) /* frames are larger under sanitizers */
        assert_non_null(strstr(
            dv_buf_cstr(&message),
            "rendering template has a nested reference name: x: unable to execute template"));
}

/* What may nest does so at once: blocks in a "tpl" at the end of a recursion, and a deep value. */
static void *run_deeply(void *ret DV_UNUSED)
{
    static const dv_run_options options = {.missing_key = DV_MISSING_ZERO};
    DV_CLEANUP(dv_buf_done)
    dv_buf text = DV_BUF_INIT(DV_BODY_MAX), out = DV_BUF_INIT(DV_BODY_MAX);

    dv_buf_adds(&text,
                "{{ $d := list }}{{ range 400 }}{{ $d = list $d }}{{ end }}{{ define \"x\" }}"
                "{{ $_ := printf \"%v\" .d }}{{ $_ := toJson .d }}{{ $_ := toYaml .d }}"
                "{{ $_ := deepEqual .d (list .d) }}{{ $_ := tpl .t . }}{{ include \"x\" . }}{{ end "
                "}}{{ $t := `");
    for (int i = 0; i < 200; i++)
        dv_buf_adds(&text, "{{ if (1) }}");
    dv_buf_adds(&text, "{{ ");
    dv_buf_fill(&text, '(', 40);
    dv_buf_adds(&text, "1");
    dv_buf_fill(&text, ')', 40);
    dv_buf_adds(&text, " }}");
    for (int i = 0; i < 200; i++)
        dv_buf_adds(&text, "{{ end }}");
    dv_buf_adds(&text, "` }}{{ include \"x\" (dict \"d\" $d \"t\" $t) }}");
    dv_auto(dv_err) err = render_with(dv_buf_cstr(&text), "{}", &options, TEST_MEMORY, &out);
    return (void *)(uintptr_t)(err && strcmp(dv_err_reason(err), "TooDeep") == 0);
}

static void all_nesting_fits_a_thread_s_stack(void **state DV_UNUSED)
{
    void *ended;
    pthread_t thread = dv_thread_start("deep", DV_STACK_BYTES, run_deeply, NULL);

    assert_int_equal(pthread_join(thread, &ended), 0);
    assert_non_null(ended);
}

static void a_long_text_is_refused(void **state DV_UNUSED)
{
    const dv_parse_limits limits = {.bytes_max = 10};
    dv_auto(dv_gotemplate) set = dv_gotemplate_new(dv_helm_functions(), &limits);

    assert_err(dv_gotemplate_parse(set, DV_STR("t"), DV_STR("01234567890")), DV_INVALID,
               "more than 10 bytes");
}

static void much_to_parse_is_refused(void **state DV_UNUSED)
{
    const dv_parse_limits limits = {.memory_max = SMALL_MEMORY};
    dv_auto(dv_gotemplate) set = dv_gotemplate_new(dv_helm_functions(), &limits);
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

    for (int i = 0; i < 100000; i++)
        dv_buf_adds(&text, "{{1}}");
    assert_err(dv_gotemplate_parse(set, DV_STR("t"), dv_buf_str(&text)), DV_INVALID,
               "the templates need more memory than is allowed");
}

int main(void)
{
    dv_suite suite = {.name = "gotemplate/limits"};

    dv_json_setup();
    DV_TABLE(&suite, row_ends, rows);
    DV_TEST(&suite, include_has_go_s_limit_where_the_stack_allows);
    DV_TEST(&suite, all_nesting_fits_a_thread_s_stack);
    DV_TEST(&suite, a_long_text_is_refused);
    DV_TEST(&suite, much_to_parse_is_refused);
    return dv_suite_run(&suite);
}
