/* SPDX-License-Identifier: Apache-2.0 */
#include <re2/re2.h>

#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "regex/regex.h"
}

using re2::RE2;
using re2::StringPiece;

namespace
{

/* What one expression may take, compiled and while it matches. */
constexpr int64_t MEMORY_MAX_BYTES = 32 * 1024 * 1024;

RE2::Options options()
{
    RE2::Options o;

    o.set_log_errors(false);
    o.set_max_mem(MEMORY_MAX_BYTES);
    return o;
}

/*
 * Go also takes "(?<name>" for "(?P<name>". Escapes, "\Q…\E" and brackets are passed over; what
 * would be a look-behind stays as it is, and is refused.
 */
std::string with_named_groups(const StringPiece &pattern)
{
    std::string out;
    bool in_class = false, in_quote = false;

    for (size_t i = 0; i < pattern.size(); i++) {
        StringPiece rest = pattern.substr(i);

        if (in_quote) {
            in_quote = !rest.starts_with("\\E");
        } else if (rest[0] == '\\' && rest.size() > 1) {
            in_quote = rest[1] == 'Q';
            out += rest[0];
            i++;
        } else if (in_class) {
            in_class = rest[0] != ']';
        } else if (rest[0] == '[') {
            in_class = true;
            /* A bracket right at the front is a member of the class. */
            for (size_t skip = 1; skip < rest.size() && (rest[skip] == '^' || rest[skip] == ']');
                 skip++) {
                out += pattern[i];
                i++;
                if (rest[skip] == ']')
                    break;
            }
        } else if (rest.starts_with("(?<") && rest.size() > 3 && rest[3] != '=' && rest[3] != '!') {
            out += "(?P<";
            i += 2;
            continue;
        }
        out += pattern[i];
    }
    return out;
}

const char *go_words(RE2::ErrorCode code)
{
    switch (code) {
    case RE2::ErrorBadEscape:
        return "invalid escape sequence";
    case RE2::ErrorBadCharClass:
        return "invalid character class";
    case RE2::ErrorBadCharRange:
        return "invalid character class range";
    case RE2::ErrorMissingBracket:
        return "missing closing ]";
    case RE2::ErrorMissingParen:
        return "missing closing )";
    case RE2::ErrorUnexpectedParen:
        return "unexpected )";
    case RE2::ErrorTrailingBackslash:
        return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument:
        return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize:
        return "invalid repeat count";
    case RE2::ErrorRepeatOp:
        return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp:
        return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8:
        return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture:
        return "invalid named capture";
    default:
        return "expression too large";
    }
}

/* Go names the whole expression where a parenthesis is missing, nothing behind a backslash. */
std::string faulty_part(const RE2 &re, const std::string &pattern)
{
    switch (re.error_code()) {
    case RE2::ErrorMissingParen:
    case RE2::ErrorUnexpectedParen:
    case RE2::ErrorPatternTooLarge:
    case RE2::ErrorBadUTF8:
        return pattern;
    case RE2::ErrorTrailingBackslash:
        return "";
    default:
        break;
    }
    std::string part = re.error_arg();
    /* As it was given, not as it was rewritten. */
    if (pattern.find(part) == std::string::npos && part.compare(0, 4, "(?P<") == 0)
        part.erase(2, 1);
    return part;
}

dv_err *refuse(const RE2 &re, const std::string &pattern)
{
    std::string part = faulty_part(re, pattern);

    return dv_err_new(DV_INVALID, "BadRegex", "error parsing regexp: %s: `%s`",
                      go_words(re.error_code()), part.c_str());
}

/* Bytes of the character at `at`; 1 for what is none. */
size_t width(dv_str text, size_t at)
{
    size_t n = dv_utf8_len(dv_str_skip(text, at));

    return n ? n : 1;
}

} // namespace

struct dv_regex {
    explicit dv_regex(const std::string &pattern) : re(pattern, options())
    {
    }
    RE2 re;
};

extern "C" {

dv_err *dv_regex_compile(dv_str pattern, dv_regex **ret_regex)
{
    std::string given(pattern.p ? pattern.p : "", pattern.n);

    if (pattern.n > DV_REGEX_PATTERN_MAX_BYTES)
        return dv_err_new(DV_INVALID, "BadRegex",
                          "error parsing regexp: expression too large: %zu bytes", pattern.n);
    auto regex = std::make_unique<dv_regex>(with_named_groups(given));
    if (!regex->re.ok())
        return refuse(regex->re, given);
    *ret_regex = regex.release();
    return nullptr;
}

void dv_regex_free(dv_regex *regex)
{
    delete regex;
}

size_t dv_regex_groups(const dv_regex *regex)
{
    return (size_t)regex->re.NumberOfCapturingGroups() + 1;
}

bool dv_regex_find(const dv_regex *regex, dv_str text, size_t from, dv_regex_span *ret_spans,
                   size_t n)
{
    StringPiece whole(text.p ? text.p : "", text.n);
    std::vector<StringPiece> found(n);

    if (!regex->re.Match(whole, from, text.n, RE2::UNANCHORED, found.data(), (int)n))
        return false;
    for (size_t i = 0; i < n; i++) {
        bool took_part = found[i].data() != nullptr;
        ptrdiff_t begin = took_part ? found[i].data() - whole.data() : -1;

        ret_spans[i].begin = begin;
        ret_spans[i].end = took_part ? begin + (ptrdiff_t)found[i].size() : -1;
    }
    return true;
}

bool dv_regex_matches(const dv_regex *regex, dv_str text)
{
    StringPiece whole(text.p ? text.p : "", text.n);

    return regex->re.Match(whole, 0, text.n, RE2::UNANCHORED, nullptr, 0);
}

bool dv_regex_next(const dv_regex *regex, dv_str text, dv_regex_walk *walk, dv_regex_span *ret_span)
{
    while (!walk->done && walk->at <= text.n) {
        if (!dv_regex_find(regex, text, walk->at, ret_span, 1))
            break;
        bool accept = true;
        if (ret_span->end == (ptrdiff_t)walk->at) {
            accept = ret_span->begin != (ptrdiff_t)walk->previous_end - 1;
            walk->at += walk->at < text.n ? width(text, walk->at) : 1;
        } else {
            walk->at = (size_t)ret_span->end;
        }
        walk->previous_end = (size_t)ret_span->end + 1;
        if (accept)
            return true;
    }
    walk->done = true;
    return false;
}

} // extern "C"

namespace
{

bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The group that the text behind a dollar sign names, and the bytes it takes; 0: it names none. */
size_t read_group_name(dv_str s, std::string *ret_name)
{
    bool braces = s.n && s.p[0] == '{';
    size_t at = braces ? 1 : 0, start = at;

    while (at < s.n && is_name_char(s.p[at]))
        at++;
    ret_name->assign(s.p + start, at - start);
    if (at == start || (braces && (at == s.n || s.p[at] != '}')))
        return 0;
    return at + (braces ? 1 : 0);
}

/* -1: the expression has no such group. */
int group_number(const RE2 &re, const std::string &name)
{
    bool digits = name.find_first_not_of("0123456789") == std::string::npos;

    if (digits && (name.size() == 1 || name[0] != '0'))
        return name.size() > 8 ? -1 : std::stoi(name);
    auto found = re.NamedCapturingGroups().find(name);
    return found == re.NamedCapturingGroups().end() ? -1 : found->second;
}

void add_group(const RE2 &re, dv_str text, const std::vector<dv_regex_span> &spans,
               const std::string &name, dv_buf *out)
{
    int group = group_number(re, name);

    if (group >= 0 && (size_t)group < spans.size() && spans[(size_t)group].begin >= 0)
        dv_buf_add(out, text.p + spans[(size_t)group].begin,
                   (size_t)(spans[(size_t)group].end - spans[(size_t)group].begin));
}

void expand(const RE2 &re, dv_str text, const std::vector<dv_regex_span> &spans, dv_str replacement,
            dv_buf *out)
{
    std::string name;

    while (replacement.n) {
        ptrdiff_t dollar = dv_str_find(replacement, '$');
        if (dollar < 0)
            break;
        dv_buf_add_str(out, dv_str_head(replacement, (size_t)dollar));
        replacement = dv_str_skip(replacement, (size_t)dollar + 1);
        if (replacement.n && replacement.p[0] == '$') {
            dv_buf_addc(out, '$');
            replacement = dv_str_skip(replacement, 1);
            continue;
        }
        size_t used = read_group_name(replacement, &name);
        if (used)
            add_group(re, text, spans, name, out);
        else
            dv_buf_addc(out, '$');
        replacement = dv_str_skip(replacement, used);
    }
    dv_buf_add_str(out, replacement);
}

} // namespace

extern "C" {

void dv_regex_replace(const dv_regex *regex, dv_str text, dv_str replacement, bool literal,
                      dv_buf *out)
{
    std::vector<dv_regex_span> spans(literal ? 1 : dv_regex_groups(regex));
    size_t copied = 0, at = 0;

    while (at <= text.n && !out->overflow &&
           dv_regex_find(regex, text, at, spans.data(), spans.size())) {
        size_t begin = (size_t)spans[0].begin, end = (size_t)spans[0].end;

        dv_buf_add(out, text.p + copied, begin - copied);
        if (end > copied || begin == 0) {
            if (literal)
                dv_buf_add_str(out, replacement);
            else
                expand(regex->re, text, spans, replacement, out);
        }
        copied = end;
        size_t step = at < text.n ? width(text, at) : 1;
        at = at + step > end ? at + step : end;
    }
    if (copied < text.n)
        dv_buf_add(out, text.p + copied, text.n - copied);
}

void dv_regex_quote(dv_str text, dv_buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] && strchr("\\.+*?()|[]{}^$", text.p[i]))
            dv_buf_addc(out, '\\');
        dv_buf_addc(out, text.p[i]);
    }
}

} // extern "C"
