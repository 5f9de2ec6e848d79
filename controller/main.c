/* SPDX-License-Identifier: Apache-2.0 */
/* davit-controller: puts the parts together, runs them, takes them apart. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "base/crypto.h"
#include "install/render.h"
#include "options.h"
#include "version.h"

enum { SANDBOX_WORKERS = 2 };

/* ---- Signals: the first ends us in order, the second at once ---- */

static dv_cancel *stopping;

static void on_signal(int signal_number)
{
    (void)signal_number;
    if (dv_cancel_fired(stopping))
        _exit(1);
    dv_cancel_fire(stopping);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* ---- Parts ---- */

static dv_err *set_up_log(const op_options *opts)
{
    dv_log_level level;
    bool json = strcmp(opts->log_format, "json") == 0 ||
                (strcmp(opts->log_format, "auto") == 0 && !isatty(STDERR_FILENO));

    DV_TRY(dv_log_level_parse(opts->log_level, &level), "--log-level");
    dv_log_setup(level, json ? DV_LOG_JSON : DV_LOG_TEXT);
    return NULL;
}

static dv_err *load_config(dv_ctx *ctx, op_options *opts, dv_kube_config **ret_config)
{
    const dv_kube_config_options options = {
        .kubeconfig = opts->kubeconfig,
        .context = opts->context,
        .in_cluster_dir = opts->in_cluster_dir,
        .in_cluster_first = true,
    };

    DV_CHECK(dv_kube_config_load(ctx, &options, ret_config));
    if (!opts->namespace)
        opts->namespace = dv_kube_config_namespace(*ret_config);
    return NULL;
}

static dv_err *make_policy(const op_options *opts, const dv_kube_config *config,
                           dv_address_policy *policy)
{
    for (size_t i = 0; i < opts->allow_cidr.n; i++)
        DV_TRY(dv_address_policy_allow(policy, opts->allow_cidr.at[i]), "--allow-cidr");
    return dv_kube_config_deny_server(config, policy);
}

static char *make_identity(void)
{
    char host[256] = "davit";
    DV_CLEANUP(dv_buf_done) dv_buf identity = DV_BUF_INIT(512);

    if (gethostname(host, sizeof(host) - 1) != 0)
        snprintf(host, sizeof(host), "davit");
    dv_buf_addf(&identity, "%s_", host);
    dv_uuid_add(&identity);
    return dv_buf_take(&identity);
}

static void add_metrics(operator_t *op, dv_metrics *metrics)
{
    op->repo_syncs = dv_metric_new(metrics, DV_COUNTER, "davit_repository_syncs_total",
                                   "Syncs of package repositories.", "repository,result");
    op->repo_sync_time =
        dv_metric_new(metrics, DV_GAUGE, "davit_repository_last_sync_timestamp_seconds",
                      "When a repository was last found in order.", "repository");
    op->repo_sync_seconds = dv_metric_new(metrics, DV_HISTOGRAM, "davit_repository_sync_seconds",
                                          "How long a sync of a repository took.", "repository");
}

static void add_controllers(operator_t *op)
{
    const dv_controller_options pm = {
        .name = "packagemanifest", .reconcile = pm_reconcile, .arg = op};
    const dv_controller_options pkgrepo = {.name = "packagerepository",
                                           .reconcile = pkgrepo_reconcile,
                                           .arg = op,
                                           .run_timeout_ms = 65 * 60 * 1000};

    op->pm_controller = dv_manager_add(op->manager, &pm);
    op->pkgrepo_controller = dv_manager_add(op->manager, &pkgrepo);
}

/* What failed while it was away need not sit its backoff out. */
static void api_server_is_back(void *arg)
{
    const operator_t *op = arg;

    dv_manager_hurry(op->manager);
}

static void add_informers(operator_t *op)
{
    dv_cache *cache = dv_manager_cache(op->manager);
    const char *ns = op->options.watch_namespace;
    const dv_informer_options namespaces = {
        .resource = dv_kube_resource_static(op->kube, "", "v1", "Namespace", "namespaces", false),
        .metadata_only = true,
        .reduce = namespace_reduce,
        .changed = namespace_changed,
        .arg = op,
    };
    const dv_informer_options pkgrepos = {.resource = resource_pkgrepo(op->kube),
                                          .reduce = pkgrepo_reduce,
                                          .changed = pkgrepo_changed,
                                          .arg = op};
    const dv_informer_options pms = {
        .resource = resource_pm(op->kube),
        .ns = ns && *ns ? ns : NULL,
        .reduce = pm_reduce,
        .index = dv_pm_index,
        .changed = pm_changed,
        .resumed = api_server_is_back,
        .arg = op,
    };

    const dv_informer_options secrets = {
        .resource = dv_kube_resource_static(op->kube, "", "v1", "Secret", "secrets", true),
        .ns = op->options.namespace,
        .label_selector = "!" DV_LABEL_STORED,
        .metadata_only = true,
        .reduce = secret_reduce,
        .changed = secret_changed,
        .arg = op,
    };

    op->pms = dv_informer_start(cache, &pms);
    op->pkgrepos = dv_informer_start(cache, &pkgrepos);
    op->namespaces = dv_informer_start(cache, &namespaces);
    dv_informer_start(cache, &secrets);
    dv_manager_await(op->manager, op->namespaces);
    dv_manager_await(op->manager, op->pkgrepos);
    dv_manager_await(op->manager, op->pms);
}

/* ---- The whole ---- */

static dv_err *run(dv_ctx *ctx, operator_t *op)
{
    dv_auto(dv_http) http = NULL;
    dv_auto(dv_address_policy) policy = dv_address_policy_new();
    dv_auto(dv_kube_config) config = NULL;
    dv_auto(dv_metrics) metrics = dv_metrics_new();
    dv_auto_str identity = make_identity();

    DV_CHECK(load_config(ctx, &op->options, &config));
    DV_CHECK(make_policy(&op->options, config, policy));
    http = dv_http_new();
    dv_auto(dv_kube) kube = dv_kube_new(http, DV_TAKE(config), "davit-controller/" DV_VERSION);
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(SANDBOX_WORKERS, ctx->log);
    dv_auto(dv_fetcher) fetcher = dv_fetcher_new(http, policy, &op->options.allow_file_root);
    dv_auto(dv_repos) repos =
        dv_repos_new(fetcher, dv_render_decoder(sandbox), op->options.cache_dir);
    dv_auto(dv_events) events = dv_events_new(kube, ctx->clock, "davit.dev/controller", identity);
    const dv_lease_options lease = {
        .kube = kube,
        .clock = ctx->clock,
        .ns = op->options.namespace,
        .name = op->options.lease_name,
        .identity = identity,
    };
    const dv_manager_options options = {
        .kube = kube,
        .clock = ctx->clock,
        .log = ctx->log,
        .metrics = metrics,
        .concurrent = op->options.concurrent,
        .lease = op->options.leader_elect ? &lease : NULL,
        .metrics_address = op->options.metrics_address,
        .health_address = op->options.health_address,
        .grace_ms = op->options.grace_ms,
    };

    op->kube = kube;
    op->sandbox = sandbox;
    op->fetcher = fetcher;
    op->repos = repos;
    op->events = events;
    op->states = states_new();
    dv_metrics_add_process(metrics);
    add_metrics(op, metrics);
    op->manager = dv_manager_new(&options);
    op->owned =
        dv_owned_new(kube, dv_manager_cache(op->manager), ctx->clock, pm_object_changed, op);
    add_controllers(op);
    add_informers(op);
    dv_info(ctx->log, "starting", dv_s("version", DV_VERSION),
            dv_s("namespace", op->options.namespace),
            dv_s("server", dv_kube_config_server(dv_kube_get_config(kube))));
    dv_err *err = dv_manager_run(ctx, op->manager);
    dv_manager_free(op->manager);
    dv_owned_free(op->owned);
    states_free(op->states);
    dv_events_free(DV_TAKE(events));
    dv_http_free(DV_TAKE(http)); /* cuts what is still under way, before what it serves goes */
    return err;
}

static int print_and_exit(const op_options *opts)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    if (opts->version)
        dv_buf_adds(&text, "davit-controller " DV_VERSION "\n");
    else
        options_help(&text);
    fputs(dv_buf_cstr(&text), stdout);
    return 0;
}

static int fail(dv_err *err, const char *doing)
{
    dv_error(NULL, doing, dv_s("reason", dv_err_reason(err)), dv_e(err));
    dv_err_free(err);
    return 1;
}

int main(int argc, char **argv)
{
    operator_t op = {0};

    dv_sandbox_main(argc, argv, dv_render_ops, dv_render_n_ops);
    mallopt(M_ARENA_MAX, 2);
    dv_json_setup();
    dv_err *err = options_parse(argc, argv, &op.options);
    if (!err && (op.options.version || op.options.help))
        return print_and_exit(&op.options);
    if (!err)
        err = set_up_log(&op.options);
    if (err) {
        fprintf(stderr, "davit-controller: %s\nSee davit-controller --help.\n", dv_err_str(err));
        dv_err_free(err);
        return 2;
    }
    dv_http_setup();
    stopping = dv_cancel_new();
    catch_signals();
    dv_ctx ctx = dv_ctx_make(stopping);
    err = run(&ctx, &op);
    options_done(&op.options);
    dv_cancel_free(stopping);
    return err ? fail(err, "davit-controller ends") : 0;
}
