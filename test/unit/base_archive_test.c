/* SPDX-License-Identifier: Apache-2.0 */
#include "base/archive.h"

#include "testlib.h"

enum { BIG_BYTES = 300 * 1000 };

/* Text that compresses, but not to nothing; owned. */
static char *big_text(void)
{
    char *text = dv_alloc(BIG_BYTES);
    unsigned seed = 1;

    for (size_t i = 0; i < BIG_BYTES; i++) {
        seed = seed * 1103515245u + 12345u;
        text[i] = (char)('a' + (seed >> 24) % 20);
    }
    return text;
}

static void bytes_round_trip(void **state DV_UNUSED)
{
    dv_auto_str text = big_text();
    const size_t sizes[] = {0, 1, 16 * 1024, BIG_BYTES};

    for (size_t i = 0; i < DV_LEN(sizes); i++) {
        DV_CLEANUP(dv_buf_done) dv_buf packed = DV_BUF_INIT(2 * BIG_BYTES);
        DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(BIG_BYTES);

        dv_gzip_add(&packed, (dv_str){text, sizes[i]});
        assert_ok(dv_buf_check(&packed));
        assert_ok(dv_gunzip(dv_buf_str(&packed), &out));
        assert_true(dv_str_eq(dv_buf_str(&out), (dv_str){text, sizes[i]}));
    }
}

static void equal_input_gives_equal_output(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf a = DV_BUF_INIT(1000);
    DV_CLEANUP(dv_buf_done) dv_buf b = DV_BUF_INIT(1000);

    dv_gzip_add(&a, DV_STR("some text"));
    dv_gzip_add(&b, DV_STR("some text"));
    assert_true(dv_str_eq(dv_buf_str(&a), dv_buf_str(&b)));
    assert_memory_equal(a.p, "\x1f\x8b\x08\x00\x00\x00\x00\x00", 8); /* no name, time 0 */
}

static void members_are_joined(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf packed = DV_BUF_INIT(1000);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);

    dv_gzip_add(&packed, DV_STR("one "));
    dv_gzip_add(&packed, DV_STR(""));
    dv_gzip_add(&packed, DV_STR("two"));
    assert_ok(dv_gunzip(dv_buf_str(&packed), &out));
    assert_string_equal(dv_buf_cstr(&out), "one two");
}

static void every_cut_is_noticed(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf packed = DV_BUF_INIT(1000);

    dv_gzip_add(&packed, DV_STR("text that is long enough"));
    for (size_t n = 0; n < packed.n; n++) {
        DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);

        assert_err(dv_gunzip(dv_str_head(dv_buf_str(&packed), n), &out), DV_INVALID, "cut off");
    }
}

static void damage_is_noticed(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf packed = DV_BUF_INIT(1000);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);

    assert_err(dv_gunzip(DV_STR("this is no gzip data"), &out), DV_INVALID, "damaged");
    dv_gzip_add(&packed, DV_STR("text"));
    dv_buf_addc(&packed, 'x');
    assert_err(dv_gunzip(dv_buf_str(&packed), &out), DV_INVALID, NULL);
    dv_buf_cut(&packed, packed.n - 1);
    packed.p[packed.n - 5] ^= 1; /* the checksum */
    assert_err(dv_gunzip(dv_buf_str(&packed), &out), DV_INVALID, "damaged");
}

static void a_bomb_stops_at_the_limit(void **state DV_UNUSED)
{
    enum { ZEROS = 10 * 1000 * 1000, LIMIT = 100 * 1000 };
    DV_CLEANUP(dv_freep) void *zeros = dv_calloc(1, ZEROS);
    DV_CLEANUP(dv_buf_done) dv_buf packed = DV_BUF_INIT(ZEROS);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(LIMIT);

    dv_gzip_add(&packed, (dv_str){zeros, ZEROS});
    assert_true(packed.n < LIMIT);
    assert_err(dv_gunzip(dv_buf_str(&packed), &out), DV_INVALID, "limit of 100000 bytes");
    assert_true(out.cap <= LIMIT + 1);
}

int main(void)
{
    dv_suite suite = {.name = "base/archive"};

    DV_TEST(&suite, bytes_round_trip);
    DV_TEST(&suite, equal_input_gives_equal_output);
    DV_TEST(&suite, members_are_joined);
    DV_TEST(&suite, every_cut_is_noticed);
    DV_TEST(&suite, damage_is_noticed);
    DV_TEST(&suite, a_bomb_stops_at_the_limit);
    return dv_suite_run(&suite);
}
