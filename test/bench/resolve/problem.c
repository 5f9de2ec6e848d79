/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes one generated problem file (test/resolve_families.h) to standard output.
 *
 *     problem FAMILY PACKAGES [SEED]
 */
#include "resolve_families.h"

static const test_family *find_family(const char *name)
{
    for (size_t i = 0; i < DV_LEN(test_families); i++)
        if (strcmp(test_families[i].name, name) == 0)
            return &test_families[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const test_family *family = argc > 2 ? find_family(argv[1]) : NULL;
    unsigned long packages = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    test_random random = {argc > 3 ? strtoul(argv[3], NULL, 10) : 1};
    DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT((size_t)512 * 1024 * 1024);
    DV_CLEANUP(test_problem_done) test_problem problem = {0};

    if (!family || packages < 100 || packages > 100000) {
        fputs("usage: problem FAMILY PACKAGES [SEED], with 100 to 100000 packages\n", stderr);
        return 2;
    }
    family->make(&random, &problem, packages);
    test_write(&json, &problem, NULL);
    return fwrite(json.p, 1, json.n, stdout) == json.n && fflush(stdout) == 0 ? 0 : 1;
}
