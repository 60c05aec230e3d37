/* SPDX-License-Identifier: GPL-2.0-only */
/* Becoming the service user with two capabilities: privileges.h. */
#include "privileges.h"

#include <ctype.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static const struct {
	unsigned int number;
	const char *name;
} needed[] = {
	{ CAP_BPF, "CAP_BPF" },
	{ CAP_PERFMON, "CAP_PERFMON" },
};

static bool parse_id(const char *text, uint32_t *ret_id)
{
	unsigned long id;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	id = strtoul(text, &end, 10);
	if (errno || *end || id >= UINT32_MAX)
		return false;
	*ret_id = (uint32_t)id;
	return true;
}

int privileges_target(const char *user, struct identity_ids *ret_ids, struct problem *problem)
{
	struct passwd *entry;
	uint32_t id;

	if (geteuid() != 0) {
		*ret_ids = (struct identity_ids){ geteuid(), getegid() };
		return 0;
	}
	errno = 0;
	entry = parse_id(user, &id) ? getpwuid(id) : getpwnam(user);
	if (!entry)
		return problem_set(
			problem, ESRCH,
			"there is no user '%s' to run as: create it (systemd-sysusers, or "
			"'useradd --system --user-group %s'), or choose another with "
			"--user",
			user, user);
	*ret_ids = (struct identity_ids){ entry->pw_uid, entry->pw_gid };
	return 0;
}

gid_t privileges_group(const char *group)
{
	struct group *entry;
	uint32_t id;

	if (parse_id(group, &id))
		return id;
	entry = getgrnam(group);
	return entry ? entry->gr_gid : (gid_t)-1;
}

static int get_capabilities(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

static int set_capabilities(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int check_needed(const struct __user_cap_data_struct data[2], struct problem *problem)
{
	char missing[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (data[CAP_TO_INDEX(needed[i].number)].permitted & CAP_TO_MASK(needed[i].number))
			continue;
		if (missing[0])
			strcat(missing, " and ");
		strcat(missing, needed[i].name);
	}
	if (missing[0])
		return problem_set(
			problem, EPERM,
			"%s missing: start ebpfmond by systemd ('systemctl start ebpfmond') "
			"or as root",
			missing);
	return 0;
}

static int keep_needed(struct problem *problem)
{
	struct __user_cap_data_struct data[2] = { 0 };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		data[CAP_TO_INDEX(needed[i].number)].permitted |= CAP_TO_MASK(needed[i].number);
		data[CAP_TO_INDEX(needed[i].number)].effective |= CAP_TO_MASK(needed[i].number);
	}
	r = set_capabilities(data);
	if (r < 0)
		return problem_set(problem, -r, "cannot give up capabilities: %s", strerror(-r));
	return 0;
}

static int become(const struct identity_ids *ids, struct problem *problem)
{
	/* Kernels before 5.11 charge maps to this limit. */
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(ids->gid, ids->gid, ids->gid) < 0 ||
	    setresuid(ids->uid, ids->uid, ids->uid) < 0)
		return problem_set(problem, errno, "cannot become uid %u: %m", ids->uid);
	return 0;
}

int privileges_check(struct problem *problem)
{
	struct __user_cap_data_struct data[2];
	int r = get_capabilities(data);

	if (r < 0)
		return problem_set(problem, -r, "cannot read capabilities: %s", strerror(-r));
	return check_needed(data, problem);
}

int privileges_drop(const struct identity_ids *ids, struct problem *problem)
{
	int r = privileges_check(problem);

	if (r < 0)
		return r;
	if (geteuid() == 0) {
		/* Needs CAP_SETPCAP, so before it is gone; fails quietly where it is already. */
		for (int c = 0; c <= CAP_LAST_CAP; c++)
			prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
		r = become(ids, problem);
		if (r < 0)
			return r;
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	r = keep_needed(problem);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return problem_set(problem, errno, "cannot forbid new privileges: %m");
	return 0;
}
