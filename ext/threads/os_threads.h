/* Threads, a lock and a condition: pthread, or the equivalent Win32 calls. */
#ifndef NNLITE_OS_THREADS_H
#define NNLITE_OS_THREADS_H

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

typedef SRWLOCK os_lock;
typedef CONDITION_VARIABLE os_condition;
#define OS_LOCK_INIT SRWLOCK_INIT
#define OS_CONDITION_INIT CONDITION_VARIABLE_INIT
#define OS_THREAD_FUNCTION(name) static DWORD WINAPI name(LPVOID argument)
#define OS_THREAD_RETURN return 0

static inline void os_acquire(os_lock *lock) { AcquireSRWLockExclusive(lock); }
static inline void os_release(os_lock *lock) { ReleaseSRWLockExclusive(lock); }
static inline void os_wait(os_condition *condition, os_lock *lock) { SleepConditionVariableSRW(condition, lock, INFINITE, 0); }
static inline void os_wake_all(os_condition *condition) { WakeAllConditionVariable(condition); }
static inline void os_yield(void) { SwitchToThread(); }
static inline int os_start(LPTHREAD_START_ROUTINE function, void *argument) {
    HANDLE thread = CreateThread(NULL, 0, function, argument, 0, NULL);
    if (thread == NULL) return 0;
    CloseHandle(thread);
    return 1;
}

#else

#include <pthread.h>
#include <sched.h>
#include <signal.h>

typedef pthread_mutex_t os_lock;
typedef pthread_cond_t os_condition;
#define OS_LOCK_INIT PTHREAD_MUTEX_INITIALIZER
#define OS_CONDITION_INIT PTHREAD_COND_INITIALIZER
#define OS_THREAD_FUNCTION(name) static void *name(void *argument)
#define OS_THREAD_RETURN return NULL

static inline void os_acquire(os_lock *lock) { pthread_mutex_lock(lock); }
static inline void os_release(os_lock *lock) { pthread_mutex_unlock(lock); }
static inline void os_wait(os_condition *condition, os_lock *lock) { pthread_cond_wait(condition, lock); }
static inline void os_wake_all(os_condition *condition) { pthread_cond_broadcast(condition); }
static inline void os_yield(void) { sched_yield(); }

/* A worker starts with all signals blocked, so that they reach only the threads that Python knows. */
static inline int os_start(void *(*function)(void *), void *argument) {
    pthread_t thread;
    sigset_t all, before;
    int failed;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&thread, NULL, function, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed) pthread_detach(thread);
    return !failed;
}

#endif
#endif
