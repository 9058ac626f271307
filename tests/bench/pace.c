/*
 * Runs command lines in turn, round after round, so that whatever else the machine does hits all of
 * them alike, and prints medians.
 *
 *	pace ROUNDS NAME 'COMMAND LINE' [NAME 'COMMAND LINE']…
 *
 * A command line is words parted by spaces. The first one is what the ratios refer to. CPU is user and
 * system time of the command and all that it waited for. A command that fails ends the program.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMMANDS_MAX = 16, WORDS_MAX = 64, WARM_UP = 3 };

struct command {
	const char *name;
	char *words[WORDS_MAX];
	double *wall, *cpu; /* milliseconds of each round */
};

extern char **environ;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double milliseconds(struct timeval time)
{
	return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static void split(struct command *command, char *line)
{
	int count = 0;
	for (char *word = strtok(line, " "); word && count < WORDS_MAX - 1; word = strtok(NULL, " "))
		command->words[count++] = word;
}

/* Standard error stays: a command that fails shall say why. */
static void run(struct command *command, double *wall, double *cpu)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int status;
	pid_t pid;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	double start = now();
	if (posix_spawnp(&pid, command->words[0], &actions, NULL, command->words, environ)) {
		fprintf(stderr, "pace: %s: cannot start %s\n", command->name, command->words[0]);
		exit(1);
	}
	if (wait4(pid, &status, 0, &usage) != pid || status) {
		fprintf(stderr, "pace: %s: wait status %#x\n", command->name, status);
		exit(1);
	}
	*wall = now() - start;
	*cpu = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
	posix_spawn_file_actions_destroy(&actions);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print(struct command *commands, int count, int rounds)
{
	printf("%-24s %9s %9s %9s %9s %7s\n", "", "median ms", "10 %", "90 %", "CPU ms", "ratio");
	for (int i = 0; i < count; i++) {
		struct command *command = &commands[i];
		qsort(command->wall, (size_t)rounds, sizeof(double), compare);
		qsort(command->cpu, (size_t)rounds, sizeof(double), compare);
		printf("%-24s %9.3f %9.3f %9.3f %9.3f %6.2fx\n", command->name,
		       command->wall[rounds / 2], command->wall[rounds / 10],
		       command->wall[rounds * 9 / 10], command->cpu[rounds / 2],
		       command->wall[rounds / 2] / commands[0].wall[rounds / 2]);
	}
}

int main(int argc, char **argv)
{
	static struct command commands[COMMANDS_MAX];
	int rounds = argc > 1 ? atoi(argv[1]) : 0;
	int count = (argc - 2) / 2;
	double ignored;
	if (rounds < 1 || count < 1 || count > COMMANDS_MAX || argc % 2) {
		fprintf(stderr, "usage: pace ROUNDS NAME 'COMMAND LINE' [NAME 'COMMAND LINE']…\n");
		return 2;
	}
	for (int i = 0; i < count; i++) {
		commands[i].name = argv[2 + 2 * i];
		split(&commands[i], argv[3 + 2 * i]);
		commands[i].wall = calloc((size_t)rounds, sizeof(double));
		commands[i].cpu = calloc((size_t)rounds, sizeof(double));
	}
	for (int round = -WARM_UP; round < rounds; round++)
		for (int i = 0; i < count; i++)
			run(&commands[i], round < 0 ? &ignored : &commands[i].wall[round],
			    round < 0 ? &ignored : &commands[i].cpu[round]);
	print(commands, count, rounds);
	return 0;
}
