/* SPDX-License-Identifier: Apache-2.0 */
/* Decoded packages, the least recently used leave first. */
#include "repo/repo_internal.h"

typedef struct node node;
struct node {
    node *newer, *older;
    char *key;
    dv_repo_package *package; /* NULL: refused */
    dv_err *refused;
    int64_t until_ms; /* of a refusal */
    size_t cost;
};

struct dv_repo_memory {
    dv_map *by_key; /* borrows the nodes */
    node *newest, *oldest;
    size_t cost;
};

dv_repo_memory *dv_repo_memory_new(void)
{
    dv_repo_memory *memory = DV_NEW(dv_repo_memory);

    memory->by_key = dv_map_new(/* free_value= */ NULL);
    return memory;
}

static void unlink_node(dv_repo_memory *memory, node *at)
{
    *(at->newer ? &at->newer->older : &memory->newest) = at->older;
    *(at->older ? &at->older->newer : &memory->oldest) = at->newer;
    at->newer = at->older = NULL;
}

static void link_newest(dv_repo_memory *memory, node *at)
{
    at->older = memory->newest;
    *(memory->newest ? &memory->newest->newer : &memory->oldest) = at;
    memory->newest = at;
}

static void remove_node(dv_repo_memory *memory, node *at)
{
    unlink_node(memory, at);
    dv_map_drop(memory->by_key, dv_str_of(at->key));
    memory->cost -= at->cost;
    dv_repo_package_unref(at->package);
    dv_err_free(at->refused);
    free(at->key);
    free(at);
}

void dv_repo_memory_free(dv_repo_memory *memory)
{
    if (!memory)
        return;
    while (memory->oldest)
        remove_node(memory, memory->oldest);
    dv_map_free(memory->by_key);
    free(memory);
}

static dv_repo_package *ref(dv_repo_package *package)
{
    if (package)
        package->refs++;
    return package;
}

dv_repo_package *dv_repo_memory_get(dv_repo_memory *memory, const char *key, int64_t now_ms,
                                    dv_err **ret_refused)
{
    node *at = dv_map_get(memory->by_key, dv_str_of(key));

    if (at && at->refused && at->until_ms <= now_ms) {
        remove_node(memory, at);
        at = NULL;
    }
    if (!at)
        return NULL;
    unlink_node(memory, at);
    link_newest(memory, at);
    *ret_refused = dv_err_dup(at->refused);
    return ref(at->package);
}

void dv_repo_memory_put(dv_repo_memory *memory, const char *key, dv_repo_package *package,
                        const dv_err *refused, int64_t now_ms, size_t cost)
{
    node *at = dv_map_get(memory->by_key, dv_str_of(key));

    if (at)
        remove_node(memory, at);
    at = DV_NEW(node);
    at->key = dv_strdup(key);
    at->package = ref(package);
    at->refused = dv_err_dup(refused);
    at->until_ms = now_ms + DV_REPO_REFUSAL_MS;
    at->cost = cost + sizeof(*at) + strlen(key);
    dv_map_put(memory->by_key, dv_str_of(key), at);
    link_newest(memory, at);
    memory->cost += at->cost;
    while (memory->oldest != at && (memory->cost > DV_REPO_PACKAGES_BYTES_MAX ||
                                    dv_map_count(memory->by_key) > DV_REPO_PACKAGES_KEPT_MAX))
        remove_node(memory, memory->oldest);
}

void dv_repo_memory_drop(dv_repo_memory *memory, const char *prefix)
{
    for (node *at = memory->oldest, *next; at; at = next) {
        next = at->newer;
        if (strncmp(at->key, prefix, strlen(prefix)) == 0)
            remove_node(memory, at);
    }
}

size_t dv_repo_memory_bytes(const dv_repo_memory *memory)
{
    return memory->cost;
}
