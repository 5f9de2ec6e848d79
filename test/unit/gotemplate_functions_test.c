/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate_world.h"

static const char values[] = "{\"n\":3,\"f\":1.9,\"s\":\"hello\",\"l\":[3,1,2],\"ls\":[\"b\",\"a\","
                             "\"b\"],\"e\":\"\",\"nul\":null,"
                             "\"m\":{\"a\":1,\"b\":{\"c\":\"deep\"},\"a10\":0,\"a2\":0}}";

static const render_row rows[] = {
    {"quote leaves nils out", "{{ quote \"a\" nil 1 }}|{{ squote \"it's\" }}|{{ quote nil }}",
     values, "\"a\" \"1\"|'it's'|", NULL},
    {"indent pads empty lines, too", "{{ indent 2 \"a\\n\\nb\" }}|{{ nindent 1 \"x\" }}", values,
     "  a\n  \n  b|\n x", NULL},
    {"a negative indent panics", "{{ indent -1 \"a\" }}", values, NULL,
     "error calling indent: strings: negative Repeat count"},
    {"default takes what is empty",
     "{{ default 1 0 }}{{ default 1 \"x\" }}{{ default 1 .nul }}{{ default 1 }}", values, "1x11",
     NULL},
    {"coalesce, ternary, empty",
     "{{ coalesce 0 \"\" \"x\" }}{{ ternary 1 2 false }}{{ empty 0.0 }}", values, "x2true", NULL},
    {"trunc counts from both ends",
     "{{ trunc 2 \"hello\" }}{{ trunc -2 \"hello\" }}{{ trunc 9 \"a\" }}", values, "heloa", NULL},
    {"trimming",
     "{{ trimSuffix \"-\" \"a--\" }}{{ trimAll \"-x\" \"-xax-\" }}{{ trimPrefix \"a\" \"ab\" }}{{ "
     "trim \" b \" }}",
     values, "a-abb", NULL},
    {"case",
     "{{ upper \"\xc3\xa9x\" }}{{ lower \"ABC\" }}{{ title \"hello big-world\" }}{{ untitle "
     "\"Hello World\" }}{{ swapcase \"aB c\" }}",
     values, "\xc3\x89XabcHello Big-Worldhello worldAb C", NULL},
    {"words",
     "{{ snakecase \"HTTPServer2x\" }} {{ camelcase \"http_server\" }} {{ kebabcase \"FirstName\" "
     "}} {{ initials \"A big Cat\" }}",
     values, "http_server_2x HttpServer first-name AbC", NULL},
    {"substr panics as Go does", "{{ substr 3 2 \"hello\" }}", values, NULL,
     "runtime error: slice bounds out of range [3:2]"},
    {"abbrev", "{{ abbrev 8 \"hello world\" }} {{ abbrevboth 5 10 \"1234 5678 9123\" }}", values,
     "hello... ...5678...", NULL},
    {"wrap", "{{ wrap 5 \"aaa bbb ccc\" }}|{{ wrapWith 2 \"-\" \"abcde\" }}", values,
     "aaa\nbbb\nccc|ab-cd-e", NULL},
    {"split makes a map",
     "{{ (split \"/\" \"a/b\")._1 }} {{ splitList \",\" \"a,b\" }} {{ (splitn \"/\" 2 "
     "\"a/b/c\")._1 }}",
     values, "b [a b] b/c", NULL},
    {"join and sort print",
     "{{ join \"-\" .l }} {{ sortAlpha .ls }} {{ join \",\" (list 1 nil \"a\") }}", values,
     "3-1-2 [a b b] 1,a", NULL},
    {"types are Go's",
     "{{ typeOf 1 }} {{ typeOf .n }} {{ typeOf nil }} {{ typeOf .m }} {{ typeOf .l }} {{ typeOf "
     "(until 1) }} {{ typeOf (split \"a\" \"b\") }}",
     values, "int float64 <nil> map[string]interface {} []interface {} []int map[string]string",
     NULL},
    {"kinds are Go's",
     "{{ kindOf nil }} {{ kindOf .l }} {{ kindOf .m }} {{ kindIs \"string\" .s }}", values,
     "invalid slice map true", NULL},
    {"casts",
     "{{ int \"08\" }} {{ int \"0x10\" }} {{ int64 \"1.7\" }} {{ int .f }} {{ atoi \"12x\" }} {{ "
     "int \"1.0\" }} {{ float64 \"1.5\" }}",
     values, "0 16 0 1 0 1 1.5", NULL},
    {"integers",
     "{{ add 1 \"x\" .f }} {{ sub 5 2 }} {{ mul 2 3 4 }} {{ div 7 2 }} {{ mod 7 4 }} {{ max 1 5 3 "
     "}} {{ add1 1 }}",
     values, "2 3 24 3 3 5 2", NULL},
    {"division by zero", "{{ div 1 0 }}", values, NULL,
     "error calling div: runtime error: integer divide by zero"},
    {"the smallest integer stays", "{{ div (sub -9223372036854775807 1) -1 }}", values,
     "-9223372036854775808", NULL},
    {"decimals",
     "{{ addf 0.1 0.2 }} {{ mulf 1.1 1.1 }} {{ divf 1 3 }} {{ subf 1 0.9 }} {{ round 2.345 2 }} {{ "
     "add1f 1.5 }}",
     values, "0.3 1.21 0.3333333333333333 0.1 2.35 2.5", NULL},
    {"no decimal of what is none", "{{ addf \"nan\" }}", values, NULL,
     "Cannot create a Decimal from NaN"},
    {"rows of numbers", "{{ until 3 }} {{ untilStep 6 0 -2 }} {{ seq 2 2 8 }} {{ until -2 }}",
     values, "[0 1 2] [6 4 2] 2 4 6 8 [0 -1]", NULL},
    {"lists",
     "{{ first .l }}{{ last .l }}{{ rest .l }}{{ initial .l }}{{ reverse .l }}{{ append .l 9 }}{{ "
     "prepend .l 0 }}",
     values, "32[1 2][3 1][2 1 3][3 1 2 9][0 3 1 2]", NULL},
    {"uniq tells types apart",
     "{{ uniq (list 1 1.0 \"1\" 1) }} {{ has 1.0 (list 1) }} {{ without .ls \"b\" }} {{ compact "
     "(list 0 1 \"\") }}",
     values, "[1 1 1] false [a] [1]", NULL},
    {"concat and chunk", "{{ concat .l (list 4) }} {{ chunk 2 .l }} {{ slice .l 1 2 }}", values,
     "[3 1 2 4] [[3 1] [2]] [1]", NULL},
    {"a string is no list", "{{ first \"abc\" }}", values, NULL,
     "error calling first: Cannot find first on type string"},
    {"dicts",
     "{{ get .m \"a\" }}{{ get .m \"zz\" }}{{ hasKey .m \"b\" }}{{ pick .m \"a\" }}{{ omit .m "
     "\"b\" \"a\" }}{{ pluck \"a\" .m (dict \"a\" 2) }}",
     values, "1truemap[a:1]map[a10:0 a2:0][1 2]", NULL},
    {"keys come in order", "{{ keys .m }} {{ values (dict \"b\" 2 \"a\" 1) }}", values,
     "[a a10 a2 b] [1 2]", NULL},
    {"set changes for all",
     "{{ $_ := set .m \"new\" 1 }}{{ .m.new }}{{ $_ := unset .m \"new\" }}{{ hasKey .m \"new\" }}",
     values, "1false", NULL},
    {"dig", "{{ dig \"b\" \"c\" \"d\" .m }} {{ dig \"x\" \"y\" \"d\" .m }}", values, "deep d",
     NULL},
    {"dig through a string", "{{ dig \"a\" \"b\" \"\" (dict \"a\" \"s\") }}", values, NULL,
     "interface conversion: interface {} is string, not map[string]interface {}"},
    {"merge fills what is empty",
     "{{ toJson (merge (dict \"a\" 0 \"b\" (dict \"x\" 1)) (dict \"a\" 5 \"b\" (dict \"x\" 2 \"y\" "
     "3))) }}",
     values, "{\"a\":5,\"b\":{\"x\":1,\"y\":3}}", NULL},
    {"mergeOverwrite replaces",
     "{{ toJson (mergeOverwrite (dict \"a\" 1 \"l\" (list 1)) (dict \"a\" nil \"l\" (list))) }}",
     values, "{\"a\":null,\"l\":[]}", NULL},
    {"a dict in itself is not merged for ever",
     "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $e := dict \"d\" (dict) }}{{ $_ := set (index "
     "$e \"d\") \"d\" $e }}{{ merge $d $e | len }}",
     values, NULL, "contains itself"},
    {"a dict in itself prints and ends",
     "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ print $d | trunc 12 }}", values,
     "map[d:map[d:", NULL},
    {"a dict in itself has no JSON",
     "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}[{{ toJson $d }}{{ toYaml $d }}]", values, "[]",
     NULL},
    {"a copy shares nothing",
     "{{ $c := deepCopy .m }}{{ $_ := set $c.b \"c\" \"new\" }}{{ .m.b.c }}", values, "deep", NULL},
    {"base64 and base32",
     "{{ b64enc \"hi?\" }} {{ b64dec \"aGk/\" }} {{ b64dec \"a\" }} {{ b32enc \"hi\" }} {{ b32dec "
     "\"NBUQ====\" }}",
     values, "aGk/ hi? illegal base64 data at input byte 0 NBUQ==== hi", NULL},
    {"JSON",
     "{{ toJson (dict \"a\" \"<&>\" \"b\" 1e21 \"c\" 1e-7) }} {{ toRawJson \"<\" }} {{ fromJson "
     "\"{\\\"a\\\":[1]}\" }} {{ fromJson \"[\" }}",
     values,
     "{\"a\":\"\\u003c\\u0026\\u003e\",\"b\":1e+21,\"c\":1e-7} \"<\" map[a:[1]] "
     "map[Error:unexpected end of JSON input]",
     NULL},
    {"YAML out", "{{ toYaml .m }}|{{ toYaml (dict \"x\" (list 1 \"yes\" \"a: b\" nil)) }}", values,
     "a: 1\na2: 0\na10: 0\nb:\n  c: deep|x:\n- 1\n- \"yes\"\n- 'a: b'\n- null", NULL},
    {"YAML in",
     "{{ fromYaml \"on: yes\\nk: 017\\nl: [1, x]\" | toJson }} {{ fromYaml \"a: [\" }} {{ "
     "fromYamlArray \"- 1\" }}",
     values,
     "{\"k\":15,\"l\":[1,\"x\"],\"true\":true} map[Error:error converting YAML to JSON: yaml: line "
     "1: did not find expected node content] [1]",
     NULL},
    {"YAML anchors", "{{ fromYaml \"a: &x {b: 1}\\nc: {<<: *x, d: 2}\" | toJson }}", values,
     "{\"a\":{\"b\":1},\"c\":{\"b\":1,\"d\":2}}", NULL},
    {"pretty YAML", "{{ toYamlPretty (dict \"a\" (list 1 2) \"f\" 1000000.0) }}", values,
     "a:\n  - 1\n  - 2\nf: 1e+06", NULL},
    {"TOML",
     "{{ toToml (dict \"a\" 1.0 \"t\" (dict \"x\" (list \"y\"))) }}|{{ fromToml \"[t]\\na = "
     "1_0\\n[[l]]\\nb = true\" | toJson }}",
     values, "a = 1.0\n\n[t]\n  x = [\"y\"]\n|{\"l\":[{\"b\":true}],\"t\":{\"a\":10}}", NULL},
    {"paths",
     "{{ base \"/a/b.c\" }} {{ dir \"/a/b\" }} {{ ext \"a.tar.gz\" }} {{ clean \"a/../b//c\" }} {{ "
     "isAbs \"/a\" }}",
     values, "b.c /a .gz b/c true", NULL},
    {"URLs",
     "{{ (urlParse \"https://u:p@h:80/p?q=1#f\").host }} {{ urlJoin (dict \"scheme\" \"http\" "
     "\"host\" \"h\" \"path\" \"/a b\") }}",
     values, "h:80 http://h/a%20b", NULL},
    {"a broken URL", "{{ urlParse \"http://[::1\" }}", values, NULL,
     "unable to parse url: parse \"http://[::1\": missing ']' in host"},
    {"regular expressions",
     "{{ regexMatch \"^a+$\" \"aa\" }} {{ regexFindAll \"[ab]\" \"cabba\" 3 }} {{ regexReplaceAll "
     "\"a(x*)b\" \"-ab-axxb-\" \"${1}W\" }} {{ regexSplit \"z+\" \"pizza\" -1 }}",
     values, "true [a b b] -W-xxW- [pi a]", NULL},
    {"a broken expression", "{{ regexFind \"(a\" \"x\" }}", values, NULL,
     "regexp: Compile(`(a`): error parsing regexp: missing closing ): `(a`"},
    {"versions",
     "{{ semverCompare \"^1.2\" \"v1.9.0\" }} {{ semverCompare \">=1.20-0\" \"1.20.3-gke.1\" }} {{ "
     "(semver \"1.2.3-rc.1+b\").Prerelease }} {{ semver \"v1.2\" }}",
     values, "true true rc.1 1.2.0", NULL},
    {"no version", "{{ semverCompare \"^1\" \"x\" }}", values, NULL,
     "error calling semverCompare: invalid semantic version"},
    {"dates",
     "{{ date \"2006-01-02\" 1582934400 }} {{ dateInZone \"15:04 MST\" 0 \"UTC\" }} {{ (toDate "
     "\"2006-01-02\" \"2020-02-29\").YearDay }} {{ htmlDate 0 }}",
     values, "2020-02-29 00:00 UTC 60 1970-01-01", NULL},
    {"a date that is none", "{{ mustToDate \"2006-01-02\" \"2021-02-29\" }}", values, NULL,
     "parsing time \"2021-02-29\": day out of range"},
    {"durations",
     "{{ duration \"3661\" }} {{ durationRound \"2h10m5s\" }} {{ toDate \"15:04\" \"10:00\" | "
     "dateModify \"-1.5h\" | date \"15:04\" }}",
     values, "1h1m1s 2h 08:30", NULL},
    {"digests", "{{ sha256sum \"a\" }} {{ sha1sum \"a\" }} {{ adler32sum \"abc\" }}", values,
     "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb "
     "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8 38600999",
     NULL},
    {"include renders", "{{ define \"x\" }}a{{ .n }}{{ end }}{{ include \"x\" . | upper }}", values,
     "A3", NULL},
    {"include tells of each level", "{{ define \"x\" }}{{ .n.z }}{{ end }}{{ include \"x\" . }}",
     values, NULL,
     "template: t:1:38: executing \"t\" at <include \"x\" .>: error calling include: template: "
     "t:1:21: executing \"x\" at <.n.z>: can't evaluate field z in type interface {}"},
    {"tpl defines for itself only",
     "{{ tpl \"{{ define \\\"q\\\" }}in{{ end }}{{ include \\\"q\\\" . }}\" . }}{{ include \"q\" . "
     "}}",
     values, NULL, "no template \"q\" associated with template \"gotpl\""},
    {"tpl loses no value", "[{{ tpl \"{{ .missing }}\" . }}]", values, "[]", NULL},
    {"tpl says what it could not parse", "{{ tpl \"{{ if }}\" . }}", values, NULL,
     "error calling tpl: cannot parse template \"{{ if }}\": template: gotpl:1: missing value for "
     "if"},
    {"required", "{{ required \"need it\" .e }}", values, NULL,
     "error calling required: HELM_ERR_STARTneed itHELM_ERR_END"},
    {"required lets zero pass", "{{ required \"x\" 0 }}{{ required \"x\" false }}", values,
     "0false", NULL},
    {"lookup finds nothing by itself", "{{ lookup \"v1\" \"Pod\" \"ns\" \"\" }}", values, "map[]",
     NULL},
    {"no names are resolved", "[{{ getHostByName \"localhost\" }}]", values, "[]", NULL},
    {"the environment is out of reach", "{{ env \"HOME\" }}", values, NULL,
     "function \"env\" not defined"},
    {"derived passwords follow from their inputs",
     "{{ derivePassword 1 \"long\" \"password\" \"user\" \"example.com\" }}", values,
     "ZedaFaxcZaso9*", NULL},
    {"a password of no known kind", "{{ derivePassword 1 \"huge\" \"p\" \"u\" \"s\" }}", values,
     "cannot find password template huge", NULL},
    {"AES goes both ways", "{{ encryptAES \"key\" \"secret text\" | decryptAES \"key\" }}", values,
     "secret text", NULL},
    {"AES needs whole blocks", "{{ decryptAES \"key\" \"AAAAAAAAAAAAAAAAAAAAAAAA\" }}", values,
     NULL, "crypto/cipher: input not full blocks"},
};

static void errors_are_worded_as_helm_does(void **state DV_UNUSED)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"{{ define \"x\" }}{{ fail \"stop: now\" }}{{ end }}{{ include \"x\" . }}",
         "execution error at (t:1:50): stop: now"},
        {"{{ if }}", "parse error at (t:1): missing value for if"},
        {"{{ upper 1 }}", "template: t:1:9: executing \"t\" at <1>: expected string; found 1"},
    };

    for (size_t i = 0; i < DV_LEN(cases); i++) {
        DV_CLEANUP(dv_buf_done)
        dv_buf out = DV_BUF_INIT(DV_BODY_MAX), text = DV_BUF_INIT(DV_BODY_MAX);
        dv_auto(dv_err) err = render(cases[i].text, values, &out);

        assert_non_null(err);
        dv_helm_error_add(&text, err, (dv_str){NULL, 0});
        assert_string_equal(dv_buf_cstr(&text), cases[i].want);
    }
}

static dv_err *find_pod(void *context, dv_heap *heap, dv_str api_version, dv_str kind,
                        dv_str namespace, dv_str name, dv_val *ret_found)
{
    dv_dict *dict = dv_dict_new(heap, &dv_type_any_dict);

    assert_string_equal(context, "context");
    if (dv_str_is(name, "broken"))
        return dv_err_new(DV_DENIED, "Forbidden", "not allowed");
    dv_dict_set_copy(heap, dict, DV_STR("found"), dv_val_string(heap, name));
    assert_true(dv_str_is(api_version, "v1") && dv_str_is(kind, "Pod") &&
                dv_str_is(namespace, "ns"));
    *ret_found = dv_val_dict(dict);
    return NULL;
}

static void lookup_asks_the_caller(void **state DV_UNUSED)
{
    char context[] = "context";
    const dv_run_options options = {.lookup = find_pod, .lookup_context = context};
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    assert_ok(render_with("{{ (lookup \"v1\" \"Pod\" \"ns\" \"p\").found }}", NULL, &options,
                          TEST_MEMORY, &out));
    assert_string_equal(dv_buf_cstr(&out), "p");
    assert_err(render_with("{{ lookup \"v1\" \"Pod\" \"ns\" \"broken\" }}", NULL, &options,
                           TEST_MEMORY, &out),
               DV_INVALID, "error calling lookup: not allowed");
}

static void linting_lets_pass(void **state DV_UNUSED)
{
    const dv_run_options options = {.missing_key = DV_MISSING_ZERO, .lint = true};
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    assert_ok(render_with("[{{ fail \"x\" }}{{ required \"y\" .z }}]", "{}", &options, TEST_MEMORY,
                          &out));
    assert_string_equal(dv_buf_cstr(&out), "[]");
}

static void missing_keys_can_be_errors(void **state DV_UNUSED)
{
    const dv_run_options options = {.missing_key = DV_MISSING_ERROR};
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    assert_err(render_with("{{ .z }}", "{}", &options, TEST_MEMORY, &out), DV_INVALID,
               "map has no entry for key \"z\"");
}

static void now_is_the_clock_s(void **state DV_UNUSED)
{
    dv_fake_clock fake;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    dv_fake_clock_init(&fake, INT64_C(1600000000000));
    const dv_run_options options = {.clock = &fake.clock};
    assert_ok(render_with("{{ now | unixEpoch }} {{ ago (sub (now.Unix) 90) }} {{ now.Month }} {{ "
                          "date \"2006\" nil }}",
                          NULL, &options, TEST_MEMORY, &out));
    assert_string_equal(dv_buf_cstr(&out), "1600000000 1m30s September 2020");
}

int main(void)
{
    dv_suite suite = {.name = "gotemplate/functions"};

    dv_json_setup();
    DV_TABLE(&suite, row_renders, rows);
    DV_TEST(&suite, errors_are_worded_as_helm_does);
    DV_TEST(&suite, lookup_asks_the_caller);
    DV_TEST(&suite, linting_lets_pass);
    DV_TEST(&suite, missing_keys_can_be_errors);
    DV_TEST(&suite, now_is_the_clock_s);
    return dv_suite_run(&suite);
}
