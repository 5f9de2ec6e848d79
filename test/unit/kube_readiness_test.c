/* SPDX-License-Identifier: Apache-2.0 */
#include "testlib.h"

#include "kube/readiness.h"

/* 2026-11-21T09:00:30Z */
#define NOW_MS 1795251630000LL

#define APPS(kind, rest) "{\"apiVersion\":\"apps/v1\",\"kind\":\"" kind "\"," rest "}"
#define CORE(kind, rest) "{\"apiVersion\":\"v1\",\"kind\":\"" kind "\"," rest "}"
#define CUSTOM(rest) "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Thing\"," rest "}"
#define JOB(rest) "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\"," rest "}"
#define CRD(rest)                                                                                  \
    "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\"," rest "}"
#define COND(type, status) "{\"type\":\"" type "\",\"status\":\"" status "\"}"
#define COND_WHY(type, status, reason, message)                                                    \
    "{\"type\":\"" type "\",\"status\":\"" status "\",\"reason\":\"" reason                        \
    "\",\"message\":\"" message "\"}"
#define CONDS(list) "\"conditions\":[" list "]"
#define ROLLED COND_WHY("Progressing", "True", "NewReplicaSetAvailable", "x") ","
#define UP COND("Available", "True")
#define DEPLOY(spec, status)                                                                       \
    APPS("Deployment",                                                                             \
         "\"metadata\":{\"generation\":2},\"spec\":{" spec                                         \
         "\"progressDeadlineSeconds\":600},\"status\":{\"observedGeneration\":2," status "}")
#define STS(spec, status)                                                                          \
    APPS("StatefulSet", "\"metadata\":{\"generation\":2},\"spec\":{" spec                          \
                        "},\"status\":{\"observedGeneration\":2" status "}")
#define DS(spec, status)                                                                           \
    APPS("DaemonSet", "\"metadata\":{\"generation\":2},\"spec\":{" spec                            \
                      "},\"status\":{\"observedGeneration\":2" status "}")
#define RS(status)                                                                                 \
    APPS("ReplicaSet", "\"metadata\":{\"generation\":2},\"spec\":{\"replicas\":2},"                \
                       "\"status\":{\"observedGeneration\":2," status "}")
#define POD(status)                                                                                \
    CORE("Pod",                                                                                    \
         "\"metadata\":{\"creationTimestamp\":\"2026-11-21T09:00:00Z\"},\"status\":{" status "}")
#define YOUNG_POD(status)                                                                          \
    CORE("Pod",                                                                                    \
         "\"metadata\":{\"creationTimestamp\":\"2026-11-21T09:00:20Z\"},\"status\":{" status "}")

static const struct row {
    const char *name, *object;
    dv_readiness want;
    const char *why; /* NULL: nothing is said */
} rows[] = {
    /* Every kind */
    {"a ConfigMap is ready", CORE("ConfigMap", "\"data\":{}"), DV_READY, NULL},
    {"what is being deleted is terminating",
     CORE("ConfigMap", "\"metadata\":{\"deletionTimestamp\":\"2026-11-21T09:00:00Z\"}"),
     DV_TERMINATING, "it is being deleted"},
    {"a generation not yet seen is awaited",
     CUSTOM("\"metadata\":{\"generation\":3},\"status\":{\"observedGeneration\":2}"),
     DV_PROGRESSING, "its controller has seen generation 2 of 3"},
    {"deletion is said before generation",
     CUSTOM("\"metadata\":{\"generation\":3,\"deletionTimestamp\":\"x\"},"
            "\"status\":{\"observedGeneration\":2}"),
     DV_TERMINATING, "it is being deleted"},
    {"Stalled is failed, with its message in one line",
     CUSTOM("\"status\":{" CONDS(COND_WHY("Stalled", "True", "Bad", "no such\\nthing.")) "}"),
     DV_FAILED, "no such thing"},
    {"Stalled False says nothing", CUSTOM("\"status\":{" CONDS(COND("Stalled", "False")) "}"),
     DV_READY, NULL},
    {"Reconciling is in progress",
     CUSTOM("\"status\":{" CONDS(COND_WHY("Reconciling", "True", "Working", "")) "}"),
     DV_PROGRESSING, "Working"},
    {"Stalled decides before Reconciling",
     CUSTOM("\"status\":{" CONDS(COND("Reconciling", "True") "," COND("Stalled", "True")) "}"),
     DV_FAILED, "it is stalled"},
    /* Custom resources */
    {"a custom resource without status is ready", CUSTOM("\"spec\":{}"), DV_READY, NULL},
    {"a custom resource with Ready True is ready",
     CUSTOM("\"status\":{" CONDS(COND("Ready", "True")) "}"), DV_READY, NULL},
    {"Ready False is in progress",
     CUSTOM("\"status\":{" CONDS(COND_WHY("Ready", "False", "Waiting", "for a disk.")) "}"),
     DV_PROGRESSING, "for a disk"},
    {"Ready Unknown is in progress", CUSTOM("\"status\":{" CONDS(COND("Ready", "Unknown")) "}"),
     DV_PROGRESSING, "its condition Ready is not true"},
    {"conditions of another shape are passed over",
     CUSTOM("\"status\":{\"conditions\":{\"Ready\":\"False\"}}"), DV_READY, NULL},
    {"a condition that is no object is passed over",
     CUSTOM("\"status\":{\"conditions\":[3,null,\"Ready\"]}"), DV_READY, NULL},
    {"a Deployment of another group is a custom resource",
     "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Deployment\",\"spec\":{\"replicas\":3}}",
     DV_READY, NULL},
    /* Deployment */
    {"a rolled out Deployment is ready",
     DEPLOY(
         "\"replicas\":2,",
         "\"replicas\":2,\"updatedReplicas\":2,\"availableReplicas\":2,\"readyReplicas\":2," CONDS(
             ROLLED UP)),
     DV_READY, NULL},
    {"a Deployment of no replicas is ready once rolled out",
     DEPLOY("\"replicas\":0,", CONDS(ROLLED UP)), DV_READY, NULL},
    {"a Deployment that nobody has looked at is awaited",
     APPS("Deployment", "\"metadata\":{\"generation\":1},\"spec\":{\"replicas\":0}"),
     DV_PROGRESSING, "its controller has not looked at it yet"},
    {"a Deployment without replicas asks for one", DEPLOY("", CONDS(UP)), DV_PROGRESSING,
     "0 of 1 replicas exist"},
    {"too few updated replicas",
     DEPLOY("\"replicas\":3,", "\"replicas\":3,\"updatedReplicas\":1," CONDS(UP)), DV_PROGRESSING,
     "1 of 3 replicas are updated"},
    {"old replicas are still to go",
     DEPLOY("\"replicas\":1,", "\"replicas\":3,\"updatedReplicas\":1," CONDS(UP)), DV_PROGRESSING,
     "2 pods are still to go"},
    {"too few available replicas",
     DEPLOY("\"replicas\":2,",
            "\"replicas\":2,\"updatedReplicas\":2,\"availableReplicas\":1," CONDS(UP)),
     DV_PROGRESSING, "1 of 2 replicas are available"},
    {"too few ready replicas",
     DEPLOY("\"replicas\":2,", "\"replicas\":2,\"updatedReplicas\":2,\"availableReplicas\":2,"
                               "\"readyReplicas\":1," CONDS(UP)),
     DV_PROGRESSING, "1 of 2 replicas are ready"},
    {"a new ReplicaSet that is not available yet",
     DEPLOY("\"replicas\":0,",
            CONDS(COND_WHY("Progressing", "True", "ReplicaSetUpdated", "x") "," UP)),
     DV_PROGRESSING, "its new ReplicaSet is not available yet"},
    {"a Deployment without a deadline needs no Progressing condition",
     APPS("Deployment",
          "\"spec\":{\"replicas\":0},\"status\":{\"observedGeneration\":1," CONDS(UP) "}"),
     DV_READY, NULL},
    {"a Deployment that is not available",
     DEPLOY("\"replicas\":0,",
            CONDS(ROLLED COND_WHY("Available", "False", "MinimumReplicas", "too few pods"))),
     DV_PROGRESSING, "too few pods"},
    {"a Deployment past its deadline has failed",
     DEPLOY("\"replicas\":2,", CONDS(COND_WHY("Progressing", "False", "ProgressDeadlineExceeded",
                                              "ReplicaSet web-1 has timed out progressing."))),
     DV_FAILED, "ReplicaSet web-1 has timed out progressing"},
    /* StatefulSet */
    {"a StatefulSet with all replicas of one revision is ready",
     STS("\"replicas\":2", ",\"replicas\":2,\"readyReplicas\":2,\"currentReplicas\":2,"
                           "\"currentRevision\":\"a\",\"updateRevision\":\"a\""),
     DV_READY, NULL},
    {"a StatefulSet that is rolled by hand is ready",
     STS("\"replicas\":2,\"updateStrategy\":{\"type\":\"OnDelete\"}", ""), DV_READY, NULL},
    {"a StatefulSet that nobody has looked at is awaited",
     APPS("StatefulSet", "\"spec\":{\"replicas\":0}"), DV_PROGRESSING,
     "its controller has not looked at it yet"},
    {"a StatefulSet with too few pods", STS("\"replicas\":2", ",\"replicas\":1"), DV_PROGRESSING,
     "1 of 2 replicas exist"},
    {"a StatefulSet with too few ready pods",
     STS("\"replicas\":2", ",\"replicas\":2,\"readyReplicas\":1"), DV_PROGRESSING,
     "1 of 2 replicas are ready"},
    {"a StatefulSet with too many pods",
     STS("\"replicas\":1", ",\"replicas\":2,\"readyReplicas\":2"), DV_PROGRESSING,
     "1 pods are still to go"},
    {"a StatefulSet above its partition",
     STS("\"replicas\":3,\"updateStrategy\":{\"rollingUpdate\":{\"partition\":1}}",
         ",\"replicas\":3,\"readyReplicas\":3,\"updatedReplicas\":1"),
     DV_PROGRESSING, "1 of 2 replicas above the partition are updated"},
    {"a StatefulSet with its partition rolled out is ready",
     STS("\"replicas\":3,\"updateStrategy\":{\"rollingUpdate\":{\"partition\":1}}",
         ",\"replicas\":3,\"readyReplicas\":3,\"updatedReplicas\":2,\"currentRevision\":\"a\","
         "\"updateRevision\":\"b\""),
     DV_READY, NULL},
    {"a partition beyond the replicas asks for none",
     STS("\"replicas\":1,\"updateStrategy\":{\"rollingUpdate\":{\"partition\":5}}",
         ",\"replicas\":1,\"readyReplicas\":1"),
     DV_READY, NULL},
    {"a StatefulSet with too few current replicas",
     STS("\"replicas\":2", ",\"replicas\":2,\"readyReplicas\":2,\"currentReplicas\":1"),
     DV_PROGRESSING, "1 of 2 replicas are current"},
    {"a StatefulSet between two revisions",
     STS("\"replicas\":1", ",\"replicas\":1,\"readyReplicas\":1,\"currentReplicas\":1,"
                           "\"currentRevision\":\"a\",\"updateRevision\":\"b\""),
     DV_PROGRESSING, "its updated revision is not the current one yet"},
    /* DaemonSet */
    {"a DaemonSet on every node is ready",
     DS("", ",\"desiredNumberScheduled\":2,\"currentNumberScheduled\":2,"
            "\"updatedNumberScheduled\":2,\"numberAvailable\":2,\"numberReady\":2"),
     DV_READY, NULL},
    {"a DaemonSet without nodes is ready", DS("", ",\"desiredNumberScheduled\":0"), DV_READY, NULL},
    {"a DaemonSet that nobody has looked at is awaited", APPS("DaemonSet", "\"spec\":{}"),
     DV_PROGRESSING, "its controller has not looked at it yet"},
    {"a DaemonSet that has not counted its nodes is awaited", DS("", ""), DV_PROGRESSING,
     "its controller has not looked at it yet"},
    {"a DaemonSet with too few pods",
     DS("", ",\"desiredNumberScheduled\":3,\"currentNumberScheduled\":1"), DV_PROGRESSING,
     "1 of 3 pods are scheduled"},
    {"a DaemonSet with old pods",
     DS("", ",\"desiredNumberScheduled\":3,\"currentNumberScheduled\":3,"
            "\"updatedNumberScheduled\":2"),
     DV_PROGRESSING, "2 of 3 pods are updated"},
    {"a DaemonSet that is rolled by hand may have old pods",
     DS("\"updateStrategy\":{\"type\":\"OnDelete\"}",
        ",\"desiredNumberScheduled\":1,\"currentNumberScheduled\":1,\"numberAvailable\":1,"
        "\"numberReady\":1"),
     DV_READY, NULL},
    {"a DaemonSet with unavailable pods",
     DS("", ",\"desiredNumberScheduled\":3,\"currentNumberScheduled\":3,"
            "\"updatedNumberScheduled\":3,\"numberAvailable\":2"),
     DV_PROGRESSING, "2 of 3 pods are available"},
    {"a DaemonSet with pods that are not ready",
     DS("", ",\"desiredNumberScheduled\":3,\"currentNumberScheduled\":3,"
            "\"updatedNumberScheduled\":3,\"numberAvailable\":3,\"numberReady\":0"),
     DV_PROGRESSING, "0 of 3 pods are ready"},
    /* ReplicaSet */
    {"a full ReplicaSet is ready",
     RS("\"replicas\":2,\"fullyLabeledReplicas\":2,\"availableReplicas\":2,\"readyReplicas\":2"),
     DV_READY, NULL},
    {"a ReplicaSet that can't make pods",
     RS(CONDS(COND_WHY("ReplicaFailure", "True", "FailedCreate", "quota exceeded"))),
     DV_PROGRESSING, "quota exceeded"},
    {"a ReplicaSet with too few pods", RS("\"fullyLabeledReplicas\":1"), DV_PROGRESSING,
     "1 of 2 replicas exist"},
    {"a ReplicaSet with unavailable pods", RS("\"fullyLabeledReplicas\":2"), DV_PROGRESSING,
     "0 of 2 replicas are available"},
    {"a ReplicaSet with pods that are not ready",
     RS("\"fullyLabeledReplicas\":2,\"availableReplicas\":2,\"readyReplicas\":1"), DV_PROGRESSING,
     "1 of 2 replicas are ready"},
    {"a ReplicaSet with too many pods",
     RS("\"replicas\":5,\"fullyLabeledReplicas\":5,\"availableReplicas\":5,\"readyReplicas\":5"),
     DV_PROGRESSING, "3 pods are still to go"},
    {"a ReplicationController is judged alike",
     CORE("ReplicationController", "\"spec\":{\"replicas\":1},\"status\":{"
                                   "\"observedGeneration\":1,\"fullyLabeledReplicas\":0}"),
     DV_PROGRESSING, "0 of 1 replicas exist"},
    /* Pod */
    {"a pod that has run to its end is ready", POD("\"phase\":\"Succeeded\""), DV_READY, NULL},
    {"a pod that ended badly has failed", POD("\"phase\":\"Failed\""), DV_FAILED,
     "it has ended with an error"},
    {"a running pod that is ready", POD("\"phase\":\"Running\"," CONDS(COND("Ready", "True"))),
     DV_READY, NULL},
    {"a running pod that is not ready",
     POD("\"phase\":\"Running\"," CONDS(
         COND_WHY("Ready", "False", "ContainersNotReady", "containers with unready status: [a]"))),
     DV_PROGRESSING, "containers with unready status: [a]"},
    {"a pod in a crash loop has failed",
     POD("\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"a\",\"state\":{\"running\":{}}},"
         "{\"name\":\"b\",\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}}}]"),
     DV_FAILED, "its container b keeps crashing"},
    {"a pod whose init container crashes has failed",
     POD("\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"i\",\"state\":"
         "{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}}}]"),
     DV_FAILED, "its init container i keeps crashing"},
    {"a pending pod is awaited", POD("\"phase\":\"Pending\""), DV_PROGRESSING, "it is pending"},
    {"a pod that nobody can schedule has failed",
     POD("\"phase\":\"Pending\"," CONDS(
         COND_WHY("PodScheduled", "False", "Unschedulable", "0/3 nodes are available."))),
     DV_FAILED, "0/3 nodes are available"},
    {"a young pod may still be scheduled",
     YOUNG_POD("\"phase\":\"Pending\"," CONDS(
         COND_WHY("PodScheduled", "False", "Unschedulable", "0/3 nodes are available."))),
     DV_PROGRESSING, "0/3 nodes are available"},
    {"a pod without a phase is awaited", POD(""), DV_PROGRESSING, "no node has reported on it yet"},
    /* Claims, Services, budgets */
    {"a bound claim is ready", CORE("PersistentVolumeClaim", "\"status\":{\"phase\":\"Bound\"}"),
     DV_READY, NULL},
    {"a pending claim is awaited",
     CORE("PersistentVolumeClaim", "\"status\":{\"phase\":\"Pending\"}"), DV_PROGRESSING,
     "it is not bound to a volume yet"},
    {"a claim without status is awaited", CORE("PersistentVolumeClaim", "\"spec\":{}"),
     DV_PROGRESSING, "it is not bound to a volume yet"},
    {"a Service in the cluster is ready", CORE("Service", "\"spec\":{\"type\":\"ClusterIP\"}"),
     DV_READY, NULL},
    {"a load balancer without an address is awaited",
     CORE("Service", "\"spec\":{\"type\":\"LoadBalancer\"},\"status\":{\"loadBalancer\":{}}"),
     DV_PROGRESSING, "its load balancer has no address yet"},
    {"a load balancer with an address is ready",
     CORE("Service", "\"spec\":{\"type\":\"LoadBalancer\"},\"status\":{\"loadBalancer\":"
                     "{\"ingress\":[{\"ip\":\"192.0.2.1\"}]}}"),
     DV_READY, NULL},
    {"a budget that was computed is ready",
     "{\"apiVersion\":\"policy/v1\",\"kind\":\"PodDisruptionBudget\",\"status\":"
     "{\"observedGeneration\":1}}",
     DV_READY, NULL},
    {"a budget that was not computed is awaited",
     "{\"apiVersion\":\"policy/v1\",\"kind\":\"PodDisruptionBudget\"}", DV_PROGRESSING,
     "its controller has not looked at it yet"},
    /* Jobs */
    {"a complete Job is ready", JOB("\"status\":{" CONDS(COND("Complete", "True")) "}"), DV_READY,
     NULL},
    {"a failed Job has failed",
     JOB("\"status\":{" CONDS(COND_WHY("Failed", "True", "BackoffLimitExceeded",
                                       "Job has reached the specified backoff limit")) "}"),
     DV_FAILED, "Job has reached the specified backoff limit"},
    {"a suspended Job is ready", JOB("\"status\":{" CONDS(COND("Suspended", "True")) "}"), DV_READY,
     NULL},
    {"a Job that was resumed is awaited",
     JOB("\"status\":{\"startTime\":\"2026-11-21T09:00:00Z\"," CONDS(
         COND("Suspended", "False")) "}"),
     DV_PROGRESSING, "it has 0 of 1 completions"},
    {"a running Job is awaited",
     JOB("\"spec\":{\"completions\":3},\"status\":{\"startTime\":\"2026-11-21T09:00:00Z\","
         "\"succeeded\":1}"),
     DV_PROGRESSING, "it has 1 of 3 completions"},
    {"a Job that has not started is awaited", JOB("\"spec\":{}"), DV_PROGRESSING,
     "it has not started yet"},
    {"a CronJob is ready", "{\"apiVersion\":\"batch/v1\",\"kind\":\"CronJob\"}", DV_READY, NULL},
    /* API machinery */
    {"an established CRD is ready",
     CRD("\"status\":{" CONDS(COND("NamesAccepted", "True") "," COND("Established", "True")) "}"),
     DV_READY, NULL},
    {"a CRD without status is awaited", CRD("\"spec\":{}"), DV_PROGRESSING,
     "it is not established yet"},
    {"a CRD that is being installed is awaited",
     CRD("\"status\":{" CONDS(COND_WHY("Established", "False", "Installing", "x")) "}"),
     DV_PROGRESSING, "it is not established yet"},
    {"a CRD whose names are taken has failed",
     CRD("\"status\":{" CONDS(COND("Established", "True") "," COND_WHY(
         "NamesAccepted", "False", "PluralConflict", "\\\"things\\\" is already in use")) "}"),
     DV_FAILED, "\"things\" is already in use"},
    {"a CRD that can't be established has failed",
     CRD("\"status\":{" CONDS(
         COND_WHY("Established", "False", "NotAccepted", "not all names are accepted")) "}"),
     DV_FAILED, "not all names are accepted"},
    {"an available APIService is ready",
     "{\"apiVersion\":\"apiregistration.k8s.io/v1\",\"kind\":\"APIService\",\"status\":{" CONDS(
         COND("Available", "True")) "}}",
     DV_READY, NULL},
    {"an APIService without endpoints is awaited",
     "{\"apiVersion\":\"apiregistration.k8s.io/v1\",\"kind\":\"APIService\",\"status\":{" CONDS(
         COND_WHY("Available", "False", "MissingEndpoints", "endpoints have no addresses")) "}}",
     DV_PROGRESSING, "endpoints have no addresses"},
    {"an APIService without status is awaited",
     "{\"apiVersion\":\"apiregistration.k8s.io/v1\",\"kind\":\"APIService\"}", DV_PROGRESSING,
     "it is not available yet"},
};

static void readiness_is(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf why = DV_BUF_INIT(4096);
    json_auto_t *object = NULL;

    assert_ok(dv_json_read(dv_str_of(row->object), &object));
    assert_string_equal(dv_readiness_name(dv_readiness_at(object, NOW_MS, &why)),
                        dv_readiness_name(row->want));
    assert_string_equal(dv_buf_cstr(&why), row->why ? row->why : "");
    assert_int_equal(dv_readiness_at(object, NOW_MS, /* why= */ NULL), row->want);
}

static void a_long_message_is_cut(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf why = DV_BUF_INIT(8192);
    json_auto_t *object =
        json_pack("{s:s,s:s,s:{s:[{s:s,s:s,s:o}]}}", "apiVersion", "x.y/v1", "kind", "X", "status",
                  "conditions", "type", "Stalled", "status", "True", "message", json_string("?"));
    char text[4001];

    memset(text, 'm', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_ok(dv_json_set(json_array_get(dv_json_at(object, "/status/conditions"), 0), "/message",
                          json_string(text)));
    assert_int_equal(dv_readiness_of(object, &why), DV_FAILED);
    assert_true(why.n > 100 && why.n < 1000);
}

static const struct needs_row {
    const char *name, *object;
    bool want;
} needs[] = {
    {"a Service in the cluster needs none", CORE("Service", "\"spec\":{}"), false},
    {"a load balancer does", CORE("Service", "\"spec\":{\"type\":\"LoadBalancer\"}"), true},
    {"a Deployment does", APPS("Deployment", "\"spec\":{}"), true},
    {"a Secret needs none", CORE("Secret", "\"data\":{}"), false},
    {"a custom resource does", CUSTOM("\"spec\":{}"), true},
};

static void needs_status(void **state)
{
    const struct needs_row *row = *state;
    json_auto_t *object = NULL;

    assert_ok(dv_json_read(dv_str_of(row->object), &object));
    assert_int_equal(dv_readiness_needs_status(object), row->want);
}

static void trivial_kinds_are_of_their_group(void **state DV_UNUSED)
{
    assert_true(dv_readiness_is_trivial("", "ConfigMap"));
    assert_true(dv_readiness_is_trivial("rbac.authorization.k8s.io", "ClusterRole"));
    assert_false(dv_readiness_is_trivial("example.com", "ConfigMap"));
    assert_false(dv_readiness_is_trivial("apps", "Deployment"));
}

int main(void)
{
    dv_suite suite = {.name = "kube/readiness"};

    DV_TABLE(&suite, readiness_is, rows);
    DV_TEST(&suite, a_long_message_is_cut);
    DV_TABLE(&suite, needs_status, needs);
    DV_TEST(&suite, trivial_kinds_are_of_their_group);
    return dv_suite_run(&suite);
}
