// SPDX-License-Identifier: GPL-2.0-only
/* The maps all probes share, with their types for BTF. No program; the daemon loads this once. */
#include "ebpfmon.bpf.h"

/* The tables of the first era; the daemon sets their sizes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct em_row);
} rows_0 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} claims_0 SEC(".maps");
