/* The documents of docker save's archives: manifest.json. */
#ifndef ROOTFS_ARCHIVE_PLAN_DOCKER_H
#define ROOTFS_ARCHIVE_PLAN_DOCKER_H

#include "rootfs/archive/plan_private.h"

int plan_read_docker(struct plan_reader *);

#endif
