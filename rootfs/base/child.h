/* Processes of wherry's own: they die with their parent, and say how they failed. */
#ifndef ROOTFS_BASE_CHILD_H
#define ROOTFS_BASE_CHILD_H

#include <stddef.h>
#include <sys/types.h>

struct child {
	pid_t pid;        /* 0: none */
	int report;       /* readable when it has ended */
	const char *what; /* borrowed */
	void *answer;
	size_t size;
};

/*
 * fork(2); the child is killed when its parent ends. Returns 0 in it, its pid in the parent, -1 with a failure, in
 * which WHAT names it ("the process for the index").
 */
pid_t child_fork(const char *what);

/*
 * Runs WORK in a child, which ends with 0, or with a failure of its own. What it leaves in the SIZE bytes at ANSWER
 * (at most 2 KiB, so that the whole report fits in a pipe's page), the parent has there, too, after child_finish.
 * Returns 0, or -1 with a failure.
 */
int child_start(struct child *, const char *what, int (*work)(void *), void *argument, void *answer, size_t size);

/* Waits for its end. Returns 0; -1 with its failure, or with ours where it was killed. */
int child_finish(struct child *);

/*
 * Runs WORK in a child that has our memory and our descriptors, and what else FLAGS of clone(2) leave it: with
 * CLONE_NEWNS mounts of its own. We wait. Returns what WORK returned: 0, or -1 with its failure.
 */
int child_vfork(int flags, int (*work)(void *), void *argument);

#endif
