/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An empty program on each of the given hooks, until a signal: the floor of what any monitor costs.
 *   floor tp_btf/NAME|fexit/NAME...
 * Says "ready" when all are attached. A hook may be given several times.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int load_empty(enum bpf_attach_type type, const char *name)
{
	static const struct bpf_insn instructions[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type);
	int id = libbpf_find_vmlinux_btf_id(name, type);

	if (id < 0)
		return id;
	options.attach_btf_id = (__u32)id;
	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "floor", "GPL", instructions,
			     sizeof(instructions) / sizeof(instructions[0]), &options);
}

/* The link stays until this process ends. */
static int attach(const char *hook)
{
	static const struct {
		const char *prefix;
		enum bpf_attach_type type;
	} kinds[] = { { "tp_btf/", BPF_TRACE_RAW_TP }, { "fexit/", BPF_TRACE_FEXIT } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].prefix);
		int fd;

		if (strncmp(hook, kinds[i].prefix, length) != 0)
			continue;
		fd = load_empty(kinds[i].type, hook + length);
		return fd < 0 ? fd : bpf_raw_tracepoint_open(NULL, fd);
	}
	return -1;
}

int main(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++)
		if (attach(argv[i]) < 0) {
			perror(argv[i]);
			return 1;
		}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
