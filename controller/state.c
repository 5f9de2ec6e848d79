/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include "base/map.h"
#include "base/sync.h"

struct states {
    pthread_mutex_t mu; /* a leaf */
    dv_map *by_key;
};

static void state_free(void *value)
{
    pm_state *state = value;

    free(state->uid);
    dv_applied_done(&state->applied);
    dv_inventory_done(&state->remaining);
    free(state);
}

states *states_new(void)
{
    states *table = DV_NEW(states);

    pthread_mutex_init(&table->mu, NULL);
    table->by_key = dv_map_new(state_free);
    return table;
}

void states_free(states *table)
{
    if (!table)
        return;
    dv_map_free(table->by_key);
    pthread_mutex_destroy(&table->mu);
    free(table);
}

pm_state *states_get(states *table, const char *key, const char *uid)
{
    DV_LOCK_SCOPE(&table->mu);
    pm_state *state = dv_map_get(table->by_key, dv_str_of(key));

    if (!state || strcmp(state->uid, uid) != 0) {
        state = DV_NEW(pm_state);
        state->uid = dv_strdup(uid);
        state->installing = true;
        dv_map_put(table->by_key, dv_str_of(key), state); /* frees the one before */
    }
    return state;
}

void states_drop(states *table, const char *key)
{
    DV_LOCK_SCOPE(&table->mu);
    dv_map_drop(table->by_key, dv_str_of(key));
}

bool states_installing(states *table, const char *key)
{
    DV_LOCK_SCOPE(&table->mu);
    const pm_state *state = dv_map_get(table->by_key, dv_str_of(key));

    return !state || state->installing;
}
