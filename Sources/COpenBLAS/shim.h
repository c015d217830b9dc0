// Why a shim: cblas.h leaves LAPACK out, and lapacke.h is a package of its own on Debian. One Fortran routine of
// OpenBLAS's own LAPACK is declared here.
#include <cblas.h>

/// Solves A X = B for a banded A of order n; netlib.org/lapack, dgbsv. ab is (ldab, n) by columns,
/// ldab >= 2 kl + ku + 1; b is overwritten with X. info > 0: A is singular.
void dgbsv_(const int *n, const int *kl, const int *ku, const int *nrhs, double *ab, const int *ldab, int *ipiv,
            double *b, const int *ldb, int *info);
