/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/store_internal.h"
#include "testlib.h"

/* An entry that says which version it is of, and whom it belongs to. */
typedef struct {
    dv_entry entry;
    char *text;
    char *owner; /* index value; NULL: none */
} note;

static int notes_alive;

static void note_free(dv_entry *entry)
{
    note *one = (note *)entry;

    free(one->text);
    free(one->owner);
    free(one);
    notes_alive--;
}

static dv_entry *note_new(const char *text, const char *owner)
{
    note *one = DV_NEW(note);

    dv_entry_init(&one->entry, note_free);
    one->text = dv_strdup(text);
    one->owner = dv_strdup(owner);
    notes_alive++;
    return &one->entry;
}

static void index_owner(void *arg, const dv_entry *entry, dv_strings *ret_values)
{
    const note *one = (const note *)entry;

    (void)arg;
    if (one->owner)
        dv_strings_add(ret_values, one->owner);
}

static void index_owner_twice(void *arg, const dv_entry *entry, dv_strings *ret_values)
{
    index_owner(arg, entry, ret_values);
    index_owner(arg, entry, ret_values);
}

static void nobody(void *arg, const char *key, const dv_entry *old, const dv_entry *now)
{
    (void)arg, (void)key, (void)old, (void)now;
}

static const dv_informer_options options = {.index = index_owner, .changed = nobody};

static void put(dv_store *store, dv_store_from from, const char *key, const char *rv,
                const char *text)
{
    DV_CLEANUP(dv_rv_done) dv_rv version = dv_rv_of(dv_str_of(rv));

    dv_store_put(store, from, key, &version, text ? note_new(text, "team") : NULL);
}

static void drop(dv_store *store, const char *key, const char *rv)
{
    DV_CLEANUP(dv_rv_done) dv_rv version = dv_rv_of(dv_str_of(rv));

    dv_store_remove(store, key, &version);
}

static void list_begin(dv_store *store, const char *rv)
{
    DV_CLEANUP(dv_rv_done) dv_rv version = dv_rv_of(dv_str_of(rv));

    dv_store_list_begin(store, &version);
}

static void pass(dv_store *store, const char *rv)
{
    DV_CLEANUP(dv_rv_done) dv_rv version = dv_rv_of(dv_str_of(rv));

    dv_store_pass(store, &version);
}

static const char *text_or(const dv_entry *entry)
{
    return entry ? ((const note *)entry)->text : "";
}

/* The changes so far as "key:old>now ", in order. */
static char *changes(dv_store *store)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);
    dv_change change;

    while (dv_store_next_change(store, &change)) {
        dv_buf_addf(&out, "%s:%s>%s ", change.key, text_or(change.old), text_or(change.now));
        dv_change_done(&change);
    }
    return dv_buf_take(&out);
}

/* The texts of all entries (or of an index value), in order, with blanks between. */
static char *content(dv_store *store, const char *value)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);
    dv_entries entries = dv_store_list(store, value);

    for (size_t i = 0; i < entries.n; i++)
        dv_buf_addf(&out, "%s ", text_or(entries.at[i]));
    dv_entries_done(&entries);
    return dv_buf_take(&out);
}

#define assert_changes(store, want)                                                                \
    do {                                                                                           \
        dv_auto_str got_ = changes(store);                                                         \
        assert_string_equal(got_, want);                                                           \
    } while (0)
#define assert_content(store, value, want)                                                         \
    do {                                                                                           \
        dv_auto_str got_ = content(store, value);                                                  \
        assert_string_equal(got_, want);                                                           \
    } while (0)

static void finish(dv_store *store)
{
    dv_store_free(store);
    assert_int_equal(notes_alive, 0);
}

/*
 * A row is a play: L<rv> begins a list, l<key>@<rv> an item of it, k<key> an unreadable item, E its
 * end, w<key>@<rv> a watch event, d<key>@<rv> a deletion, b<rv> a bookmark, o<key>@<rv> a write of
 * ours, x<key>@<rv> a watch event of an object that is to be left out. The text of an object is its
 * version.
 */
static void act(dv_store *store, dv_str word)
{
    dv_str rest = dv_str_skip(word, 1), key;
    dv_str version = dv_str_cut(rest, '@', &key);
    dv_auto_str name = dv_str_dup(key);
    dv_auto_str rv = dv_str_dup(version);

    switch (word.p[0]) {
    case 'L':
        list_begin(store, name);
        break;
    case 'l':
        put(store, DV_FROM_LIST, name, rv, rv);
        break;
    case 'k':
        dv_store_list_keep(store, name);
        break;
    case 'E':
        dv_store_list_end(store);
        break;
    case 'w':
        put(store, DV_FROM_WATCH, name, rv, rv);
        break;
    case 'x':
        put(store, DV_FROM_WATCH, name, rv, NULL);
        break;
    case 'd':
        drop(store, name, rv);
        break;
    case 'b':
        pass(store, name);
        break;
    case 'o':
        put(store, DV_FROM_WRITE, name, rv, rv);
        break;
    default:
        fail();
    }
}

static void play(dv_store *store, const char *words)
{
    dv_str rest = dv_str_of(words), word;

    while (rest.n) {
        rest = dv_str_cut(rest, ' ', &word);
        if (word.n)
            act(store, word);
    }
}

static const struct row {
    const char *name, *words, *changes, *content, *position;
} rows[] = {
    {"a first list tells all as new", "L10 la@3 lb@7 E", "a:>3 b:>7 ", "3 7 ", "10"},
    {"a watch event is told once", "L10 E wa@11 wa@11", "a:>11 ", "11 ", "11"},
    {"an older watch event is not told", "L10 E wa@12 wa@11", "a:>12 ", "12 ", "12"},
    {"a change is told with what was", "L10 la@3 E wa@11", "a:>3 a:3>11 ", "11 ", "11"},
    {"a deletion is told", "L10 la@3 E da@11", "a:>3 a:3> ", "", "11"},
    {"a deletion of what is not there is not", "L10 E da@11", "", "", "11"},
    {"a bookmark moves the position", "L10 E b15", "", "", "15"},
    {"the position does not go back", "L10 E b15 b12 wa@13", "a:>13 ", "13 ", "15"},
    {"a relist without a difference tells nothing", "L10 la@3 lb@7 E L20 la@3 lb@7 E", "a:>3 b:>7 ",
     "3 7 ", "20"},
    {"a relist tells only differences", "L10 la@3 lb@7 lc@8 E L20 la@3 lb@15 ld@16 E",
     "a:>3 b:>7 c:>8 b:7>15 d:>16 c:8> ", "3 15 16 ", "20"},
    {"a list that was not finished removes nothing", "L10 la@3 lb@7 E L20 la@3 L30 la@3 lb@7 E",
     "a:>3 b:>7 ", "3 7 ", "30"},
    {"an unreadable item is not taken for deleted", "L10 la@3 lb@7 E L20 la@3 kb E", "a:>3 b:>7 ",
     "3 7 ", "20"},
    {"an unreadable item that was never known stays so", "L10 ka E", "", "", "10"},
    {"a write of ours is told before the watch", "L10 E oa@11 wa@11", "a:>11 ", "11 ", "11"},
    {"a write of ours passes what the watch still tells", "L10 la@3 E oa@13 wa@11 wa@13 wa@14",
     "a:>3 a:3>13 a:13>14 ", "14 ", "14"},
    {"an older write of ours is ignored", "L10 la@9 E oa@8", "a:>9 ", "9 ", "10"},
    {"a write whose object was deleted meanwhile does not bring it back", "L10 E wa@11 da@12 oa@11",
     "a:>11 a:11> ", "", "12"},
    {"nor when the relist found it gone", "L10 la@3 E L20 E oa@15", "a:>3 a:3> ", "", "20"},
    {"nor when a bookmark has passed it", "L10 E b20 oa@15", "", "", "20"},
    {"a deletion older than our write is of its predecessor", "L10 la@3 E oa@15 da@12 wa@15",
     "a:>3 a:3>15 ", "15 ", "15"},
    {"a write past a list that does not hold it yet stays", "L10 E oa@25 L20 E wa@25", "a:>25 ",
     "25 ", "25"},
    {"a write before a list that does not hold it goes", "L10 E oa@15 L20 E", "a:>15 a:15> ", "",
     "20"},
    {"a write during a list wins over its older item", "L20 oa@25 la@15 E", "a:>25 ", "25 ", "20"},
    {"a write during the first list, deleted before it, goes", "oa@5 L10 E", "a:>5 a:5> ", "",
     "10"},
    {"a server restored from a backup is believed", "L100 la@90 lb@95 E L50 la@40 E",
     "a:>90 b:>95 a:90>40 b:95> ", "40 ", "50"},
    {"and watched on from there", "L100 la@90 E L50 la@40 E wa@51", "a:>90 a:90>40 a:40>51 ", "51 ",
     "51"},
    {"versions without an order follow the watch", "Lx la@p E wa@q wa@r da@s",
     "a:>p a:p>q a:q>r a:r> ", "", "s"},
    {"the same version without an order is told once", "Lx la@p E wa@p Ly la@p E", "a:>p ", "p ",
     "y"},
    {"a write without an order is ignored", "Lx E oa@q", "", "", "x"},
    {"versions past 64 bits have their order",
     "L18446744073709551616 E wa@18446744073709551618 "
     "wa@18446744073709551617",
     "a:>18446744073709551618 ", "18446744073709551618 ", "18446744073709551618"},
    {"what is to be left out goes", "L10 la@3 E xa@11", "a:>3 a:3> ", "", "11"},
    {"what was left out may come", "L10 E xa@11 wa@12", "a:>12 ", "12 ", "12"},
    {"entries come in byte order of their keys", "L10 lb/z@1 la/y@2 lb/a@3 lz@4 E",
     "b/z:>1 a/y:>2 b/a:>3 z:>4 ", "2 3 1 4 ", "10"},
};

static void stays_true(void **state)
{
    const struct row *row = *state;
    dv_store *store = dv_store_new(&options);
    dv_auto_str position = NULL;

    play(store, row->words);
    assert_changes(store, row->changes);
    assert_content(store, NULL, row->content);
    assert_content(store, "team", row->content);
    position = dv_store_position(store);
    assert_string_equal(position, row->position);
    finish(store);
}

static void move(dv_store *store, const char *key, const char *rv, const char *owner)
{
    DV_CLEANUP(dv_rv_done) dv_rv version = dv_rv_of(dv_str_of(rv));

    dv_store_put(store, DV_FROM_WATCH, key, &version, note_new(key, owner));
}

static void the_index_follows_the_entries(void **state)
{
    dv_store *store = dv_store_new(&options);

    (void)state;
    move(store, "a", "1", "red");
    move(store, "b", "2", "red");
    move(store, "c", "3", "blue");
    move(store, "d", "4", NULL);
    assert_content(store, "red", "a b ");
    assert_content(store, "blue", "c ");
    move(store, "a", "5", "blue");
    assert_content(store, "red", "b ");
    assert_content(store, "blue", "a c ");
    move(store, "b", "6", NULL);
    assert_content(store, "red", "");
    drop(store, "c", "7");
    assert_content(store, "blue", "a ");
    assert_content(store, "green", "");
    assert_int_equal(dv_store_count(store), 3);
    finish(store);
}

static void an_index_value_given_twice_counts_once(void **state)
{
    const dv_informer_options twice = {.index = index_owner_twice};
    dv_store *store = dv_store_new(&twice);

    (void)state;
    move(store, "a", "1", "red");
    assert_content(store, "red", "a ");
    drop(store, "a", "2");
    assert_content(store, "red", "");
    finish(store);
}

static void without_a_listener_nothing_is_queued(void **state)
{
    const dv_informer_options quiet = {.index = NULL};
    dv_store *store = dv_store_new(&quiet);

    (void)state;
    play(store, "L10 la@3 E wa@11 da@12");
    assert_changes(store, "");
    finish(store);
}

static void untold_changes_are_freed(void **state)
{
    dv_store *store = dv_store_new(&options);

    (void)state;
    play(store, "L10 la@3 E wa@11 da@12");
    finish(store);
}

static void an_entry_outlives_its_place(void **state)
{
    dv_store *store = dv_store_new(&options);
    dv_entry *entry;

    (void)state;
    play(store, "L10 la@3 E");
    entry = dv_store_get(store, "a");
    assert_null(dv_store_get(store, "b"));
    play(store, "da@12");
    assert_string_equal(text_or(entry), "3");
    dv_entry_unref(entry);
    finish(store);
}

static void thousands_of_objects_are_found_again(void **state)
{
    enum { OBJECTS = 5000 };
    dv_store *store = dv_store_new(&options);
    char key[32], rv[16];

    (void)state;
    for (int i = 0; i < OBJECTS; i++) {
        snprintf(key, sizeof(key), "ns-%d/object-%d", i % 17, i);
        snprintf(rv, sizeof(rv), "%d", i + 1);
        put(store, DV_FROM_WATCH, key, rv, rv);
    }
    for (int i = 0; i < OBJECTS; i += 3) {
        snprintf(key, sizeof(key), "ns-%d/object-%d", i % 17, i);
        snprintf(rv, sizeof(rv), "%d", OBJECTS + i + 1);
        drop(store, key, rv);
    }
    for (int i = 0; i < OBJECTS; i++) {
        snprintf(key, sizeof(key), "ns-%d/object-%d", i % 17, i);
        snprintf(rv, sizeof(rv), "%d", i + 1);
        dv_entry *entry = dv_store_get(store, key);
        assert_string_equal(text_or(entry), i % 3 ? rv : "");
        dv_entry_unref(entry);
    }
    assert_int_equal(dv_store_count(store), OBJECTS - (OBJECTS + 2) / 3);
    finish(store);
}

/* ---- Keys ---- */

static const struct key_row {
    const char *name, *key, *ns, *object;
} key_rows[] = {
    {"a namespaced object", "team-a/web", "team-a", "web"},
    {"an object of cluster scope", "web", "", "web"},
};

static void keys_are_split(void **state)
{
    const struct key_row *row = *state;
    dv_auto_str ns = NULL;
    dv_auto_str name = NULL;
    dv_auto_str key = dv_key_make(row->ns, row->object);

    assert_string_equal(key, row->key);
    dv_key_split(row->key, &ns, &name);
    assert_string_equal(ns, row->ns);
    assert_string_equal(name, row->object);
}

static void the_key_of_an_object_is_its_names(void **state)
{
    json_auto_t *object = json_pack("{s:{s:s,s:s}}", "metadata", "namespace", "a", "name", "b");
    dv_auto_str key = dv_key_of(object);
    dv_auto_str bare = dv_key_make(NULL, "b");

    (void)state;
    assert_string_equal(key, "a/b");
    assert_string_equal(bare, "b");
}

int main(void)
{
    dv_suite suite = {.name = "runtime/store"};

    DV_TABLE(&suite, stays_true, rows);
    DV_TEST(&suite, the_index_follows_the_entries);
    DV_TEST(&suite, an_index_value_given_twice_counts_once);
    DV_TEST(&suite, without_a_listener_nothing_is_queued);
    DV_TEST(&suite, untold_changes_are_freed);
    DV_TEST(&suite, an_entry_outlives_its_place);
    DV_TEST(&suite, thousands_of_objects_are_found_again);
    DV_TABLE(&suite, keys_are_split, key_rows);
    DV_TEST(&suite, the_key_of_an_object_is_its_names);
    return dv_suite_run(&suite);
}
