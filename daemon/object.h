/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One probe at run time: loads its programs, attaches them in the best way this kernel and the
 * settings allow, or goes on with the pinned attachments of an earlier daemon. Uses libbpf.
 */
#pragma once

#include "config.h"
#include "event-maps.h"
#include "maps.h"
#include "pins.h"
#include "probe.h"

struct bpf_object;
struct btf;

enum object_state {
	OBJECT_RUNNING,	 /* everything the settings ask for is counted, nothing less seen */
	OBJECT_DEGRADED, /* not all of it is counted here, or as configured: the reason says what */
	OBJECT_UNSUPPORTED, /* nothing works here */
	OBJECT_DISABLED,    /* by configuration */
};

enum {
	OBJECT_ATTACHMENTS_MAX = PROBE_JOBS_MAX * PROBE_HOOKS_MAX,
};

/* One program at one place of the kernel. */
struct attachment {
	const struct hook *hook;
	const char *target; /* of hook->targets */
	int program_fd;	    /* the dispatcher: what the kernel runs, and whose misses count */
	int link_fd;	    /* held, so that a removed pin does not end the counting */
	int jump_fd;	    /* likewise: the kernel empties it when nobody holds it */
	uint32_t body_id;   /* what it held when this was started (hook_body()); 0: not known */
};

struct object {
	const struct probe *probe;
	struct pins *pins; /* lent */
	enum object_state state;
	char reason[320]; /* one line, empty when running or disabled */
	struct attachment attachments[OBJECT_ATTACHMENTS_MAX];
	size_t n_attachments;
	unsigned int coverage;	  /* of the hooks in use */
	int refused;		  /* -errno of a program that tells no events; 0: none */
	struct problem eventless; /* why it tells no events, though it counts */
	uint32_t slots;		  /* bit per counter that is being counted */
	bool unpinned;		  /* somebody removed pins: it counts until this process ends */
	const struct attachment *exchanged; /* somebody put another program behind it, or none */
	bool uncalled;			    /* kernel.ftrace_enabled is 0, for now */
	size_t lasting;			    /* bytes of the reason that are there for good, */
	enum object_state lasting_state;    /* and what the state is without the rest */
};

struct object_settings {
	bool enabled;
	enum config_switch jobs[PROBE_JOBS_MAX];
};

/* The kernel's types; btf__free() them. NULL: @problem says why. */
struct btf *object_btf(struct problem *problem);

/* What all probes are started with. Without @pins everything ends with the process. */
struct object_context {
	struct pins *pins;
	const struct maps *maps;
	const struct btf *btf;		 /* of the kernel */
	bool functions_called;		 /* what is attached to them, that is: ftrace.h */
	const struct event_maps *events; /* NULL: no events are told */
	const struct em_constants
		*constants; /* what programs find in "constants"; rows are added */
	struct bpf_object
		*foreseen; /* programs loaded for all probes at once, or NULL: see below */
};

/*
 * Starts the first @n_probes of probes[], each with its settings. 0, whatever their states are then:
 * a kernel that lacks something is no failure. Negative, with a problem, when pins are not what they
 * should be. Either way *@ret_n_objects of @objects, room for n_probes, must be released.
 */
int objects_start(const struct object_context *context, const struct object_settings *settings,
		  size_t n_probes, struct object *objects, size_t *ret_n_objects,
		  struct problem *problem);
/* Lets go of everything; what is pinned goes on counting. */
void object_release(struct object *object);

/* One more thing that it lacks, and what would help: a part of the line @object->reason. */
void object_add_reason(struct object *object, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Looks whether what was pinned still is, whether it is our programs that count, and whether what is
 * attached to functions is called; to be asked before the state is told. True: something is new, and
 * state and reason say so.
 */
bool object_look(struct object *object, bool functions_called);

/* The first of its programs that is attached to a function, or NULL. */
const struct attachment *object_function(const struct object *object);

/* Runs of its programs that the kernel skipped. -ENODATA: this kernel does not tell. */
int object_misses(const struct object *object, uint64_t *ret_misses);

/* "fexit/do_filp_open", into @buffer. */
const char *attachment_name(const struct attachment *attachment, char *buffer, size_t size);

const char *object_state_name(enum object_state state);
