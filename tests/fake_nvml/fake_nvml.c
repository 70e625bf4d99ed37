/* A test double of NVIDIA's libnvidia-ml.so.1: what nvidia-ml-py asks for, answered from the file that FAKE_NVML names.
 *
 * One line an item, fields between `|`, `-` for an empty one:
 *   init|CODE                                               nvmlInit answers CODE
 *   driver|VERSION|CUDA                                     such as 580.95|13020
 *   gpu|UUID|MODEL|TOTAL|USED|PID:MIB,...|FLAGS|ECC|UTIL|C  in nvidia-smi's order; memory in MiB; the last two may lack
 *   mig|UUID|MODEL|TOTAL|USED|PID:MIB,...                   a MIG device of the GPU before it
 * FLAGS: `mig` is in MIG mode, `lost` fell off the bus, `pending` and `failed` row remapping, `old` knows no memory v2,
 * `bare` answers no question about memory, MIG and health.
 *
 * There is no plain nvmlInit, on purpose: torch asks that one, and would count these GPUs as its own (torch 2.15).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK, UNINITIALIZED, INVALID, NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND = 6, TOO_SMALL, NO_FUNCTION = 13, LOST = 15, UNKNOWN = 999 };
#define MIB(text) (strtoull(text, 0, 10) << 20)

typedef struct { char uuid[96], model[96], total[24], used[24], pids[256], flags[64]; unsigned long long ecc; int parent, util, warmth; } Device;
static Device devices[64];
static int count, init_code, cuda = 13020, running;
static char driver[64] = "580.95";

static void load(void) {
    char line[1024], *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : 0;
    count = init_code = 0;
    while (file && fgets(line, sizeof line, file)) {
        Device *d = &devices[count];
        char kind[16] = "", ecc[24] = "0";
        memset(d, 0, sizeof *d);
        if (sscanf(line, "init|%d", &init_code) == 1 || sscanf(line, "driver|%63[^|]|%d", driver, &cuda) == 2) continue;
        if (sscanf(line, "%15[^|]|%95[^|]|%95[^|]|%23[^|]|%23[^|]|%255[^|\n]|%63[^|\n]|%23[^|\n]|%d|%d", kind, d->uuid, d->model,
                   d->total, d->used, d->pids, d->flags, ecc, &d->util, &d->warmth) < 6) continue;
        d->ecc = strtoull(ecc, 0, 10);
        d->parent = -1;
        if (!strcmp(kind, "mig"))
            for (d->parent = count - 1; devices[d->parent].parent >= 0;) d->parent--;
        count++;
    }
    if (file) fclose(file);
}

static Device *nth(int parent, unsigned n) {
    for (int i = 0; i < count; i++)
        if (devices[i].parent == parent && !n--) return &devices[i];
    return 0;
}

static int has(Device *d, const char *flag) { return strstr(d->flags, flag) != 0; }

static int text(char *buffer, unsigned size, const char *value) {
    return strlen(value) + 1 > size ? TOO_SMALL : (strcpy(buffer, value), OK);
}

int nvmlInitWithFlags(unsigned flags) { (void)flags; load(); running = !init_code; return init_code; }
int nvmlShutdown(void) { int was = running; running = 0; return was ? OK : UNINITIALIZED; }
const char *nvmlErrorString(int code) { return code == LOST ? "GPU is lost" : "an error of the test double"; }
int nvmlSystemGetDriverVersion(char *buffer, unsigned size) { return text(buffer, size, driver); }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = cuda; return OK; }

int nvmlDeviceGetCount_v2(unsigned *n) {
    if (!running) return UNINITIALIZED;
    for (*n = 0; nth(-1, *n); ++*n);
    return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **d) {
    if (!running) return UNINITIALIZED;
    *d = nth(-1, index);
    return !*d ? INVALID : has(*d, "lost") ? LOST : OK;
}

int nvmlDeviceGetName(Device *d, char *buffer, unsigned size) { return text(buffer, size, d->model); }
int nvmlDeviceGetUUID(Device *d, char *buffer, unsigned size) { return text(buffer, size, d->uuid); }

typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } Memory2;

int nvmlDeviceGetMemoryInfo(Device *d, Memory *memory) {
    if (has(d, "bare")) return NOT_SUPPORTED;
    memory->total = MIB(d->total);
    memory->used = MIB(d->used);
    return OK;
}

int nvmlDeviceGetMemoryInfo_v2(Device *d, Memory2 *memory) {
    if (has(d, "old")) return NO_FUNCTION;
    if (has(d, "bare")) return NOT_SUPPORTED;
    memory->total = MIB(d->total);
    memory->used = MIB(d->used);
    return OK;
}

typedef struct { unsigned pid; unsigned long long memory; unsigned gpu_instance, compute_instance; } Process;

int nvmlDeviceGetComputeRunningProcesses_v3(Device *d, unsigned *size, Process *processes) {
    unsigned n = 0, pid;
    unsigned long long mib;
    for (char *at = d->pids; sscanf(at, "%u:%llu", &pid, &mib) == 2; n++) {
        if (processes && n < *size) processes[n] = (Process){pid, mib << 20, -1, -1};
        if (!(at = strchr(at, ','))) { n++; break; }
        at++;
    }
    int enough = n <= *size;
    *size = n;
    return enough ? OK : TOO_SMALL;
}

int nvmlDeviceGetMigMode(Device *d, unsigned *current, unsigned *pending) {
    *current = *pending = has(d, "mig");
    return has(d, "bare") ? NOT_SUPPORTED : OK;
}

/* A GPU has places for seven MIG devices, and NVML leaves holes: here they are numbers 0, 2, 4..., the others unused or forbidden. */
int nvmlDeviceGetMaxMigDeviceCount(Device *d, unsigned *n) { (void)d; *n = 7; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(Device *d, unsigned index, Device **mig) {
    *mig = index % 2 ? 0 : nth((int)(d - devices), index / 2);
    return *mig ? OK : index == 1 ? NOT_FOUND : NO_PERMISSION;
}

int nvmlDeviceGetCudaComputeCapability(Device *d, int *major, int *minor) {
    *major = 9;
    *minor = 0;
    return has(d, "bare") ? NOT_SUPPORTED : OK;
}

int nvmlDeviceGetTotalEccErrors(Device *d, int type, int counter, unsigned long long *errors) {
    (void)type, (void)counter;
    *errors = d->ecc;
    return has(d, "bare") ? UNKNOWN : OK;
}

typedef struct { unsigned gpu, memory; } Rates;

int nvmlDeviceGetUtilizationRates(Device *d, Rates *rates) {
    rates->gpu = d->util;
    rates->memory = 0;
    return has(d, "bare") || has(d, "mig") ? NOT_SUPPORTED : OK;
}

int nvmlDeviceGetTemperature(Device *d, int sensor, unsigned *degrees) {
    (void)sensor;
    *degrees = d->warmth;
    return has(d, "bare") ? NOT_SUPPORTED : OK;
}

int nvmlDeviceGetRemappedRows(Device *d, unsigned *correctable, unsigned *not, unsigned *pending, unsigned *failed) {
    *correctable = *not = 0;
    *pending = has(d, "pending");
    *failed = has(d, "failed");
    return has(d, "bare") ? NOT_SUPPORTED : OK;
}
