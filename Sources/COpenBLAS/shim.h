// Why a shim: cblas.h leaves LAPACK out, and lapacke.h is a package of its own on Debian. One Fortran routine of
// OpenBLAS's own LAPACK is declared here.
#include <cblas.h>

/// Solves A X = B for a banded, symmetric positive definite A of order n; netlib.org/lapack, dpbsv. uplo is 'L' or 'U',
/// ab is (ldab, n) by columns, ldab >= kd + 1; b is overwritten with X. info > 0: A is not positive definite.
void dpbsv_(const char *uplo, const int *n, const int *kd, const int *nrhs, double *ab, const int *ldab, double *b,
            const int *ldb, int *info);
