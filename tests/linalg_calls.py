"""Calls of products and linear algebra, a line each; ``record_linalg`` asks PyTorch.

A line is an expression and, behind ``#``, the shapes of ``a``, ``b``, ...: ``2x3``, ``scalar``.
``definite`` behind them makes square matrices positive definite, ``complex`` what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

PRODUCTS = """
a @ b # 3 3
a @ b # 2x3 3
a @ b # 3 3x2
a @ b # 2x3 3x2
a @ b # 1x1 1x1
a @ b # 2x0 0x2
a @ b # 4x2x3 3
a @ b # 4x2x3 3x2
a @ b # 2x3 4x3x2
a @ b # 3 4x3x2
a @ b # 4x2x3 4x3x2
a @ b # 1x2x3 4x3x2
a @ b # 4x2x3 1x3x2
a @ b # 5x4x2x3 3x2
a @ b # 5x1x2x3 4x3x2
a @ b # 3 2x2x3x2
a @ b # 2x0x3 3x2
a @ b # 2x3x0 0x2
a @ b.detach() # 4x2x3 3x2
a @ b.detach() # 1x2x3 4x3x2
a.detach() @ b # 2x3 4x3x2
a.mT @ b # 2x3x4 3x5
a.mT @ b.detach() # 2x3x4 3x5
a.T @ b.T # 3x2 4x3
a.T @ b.T # 3x2 4x3 complex
a.expand(4, 2, 3) @ b.detach() # 2x3 3x2
torch.mm(a, b) # 2x3 3x4 complex
torch.mv(a, b) # 2x3 3 complex
torch.dot(a, b) # 3 3 complex
torch.vdot(a, b) # 3 3 complex
torch.vdot(a, b) # 3 3
torch.bmm(a, b) # 2x2x3 2x3x2 complex
torch.addmm(a, b, c) # 2x4 2x3 3x4
torch.addmm(a, b, c, alpha=2, beta=3) # 4 2x3 3x4
torch.addmm(a, b, c, beta=0) # 2x4 2x3 3x4
torch.addmm(a, b.t(), c.t()) # 2x4 3x2 4x3
torch.addmm(a, b, c, alpha=2j) # 2x4 2x3 3x4 complex
torch.addmv(a, b, c, alpha=0.5, beta=3) # 2 2x3 3
torch.addmv(a, b, c) # 1 2x3 3 complex
torch.addbmm(a, b, c, alpha=2) # 2x4 5x2x3 5x3x4
torch.addbmm(a, b, c, beta=0) # 4 5x2x3 5x3x4
torch.baddbmm(a, b, c, beta=2) # 5x2x4 5x2x3 5x3x4
torch.baddbmm(a, b, c) # 4 5x2x3 5x3x4 complex
torch.addr(a, b, c, alpha=2, beta=0.5) # 2x3 2 3
torch.addr(a, b, c) # 3 2 3 complex
torch.outer(a, b) # 2 3
torch.inner(a, b) # 2x3 4x3
torch.inner(a, b) # 3 3
torch.inner(a, b) # scalar 3
torch.kron(a, b) # 2x2 3x3
torch.kron(a, b) # 2 2x3
torch.cross(a, b) # 3x2 3x2
torch.linalg.cross(a, b) # 1x3 4x3 complex
torch.linalg.vecdot(a, b) # 2x3 3
torch.linalg.vecdot(a, b, dim=0) # 2x3 2x3 complex
torch.linalg.vecdot(a, b) # 3 3 complex
torch.tensordot(a, b, dims=1) # 2x3 3x2
torch.tensordot(a, b, dims=0) # 2x3 3x2
torch.tensordot(a, b, dims=2) # 2x3 2x3
torch.tensordot(a, b, dims=([0, 2], [1, 0])) # 2x3x4 4x2
torch.tensordot(a, b, dims=([0, 1], [0, 2])) # 1x3 2x4x3
torch.tensordot(a, b, dims=([0], [0])) # 2x3 1x3
torch.einsum('ij,jk->ik', a, b) # 2x3 3x4
torch.einsum('ij,jk->ki', a, b) # 2x3 3x4
torch.einsum('ij,jk', a, b) # 2x3 3x4 complex
torch.einsum('ij->ji', a) # 2x3
torch.einsum('ba', a) # 2x3
torch.einsum('ii->i', a) # 3x3
torch.einsum('ii', a) # 3x3
torch.einsum('ij->', a) # 2x3
torch.einsum('ij->j', a) # 2x3
torch.einsum('i,i->', a, b) # 3 3
torch.einsum('i,j->ij', a, b) # 2 3
torch.einsum('i,i->i', a, b) # 3 3
torch.einsum('bij,bjk->bki', a, b) # 2x3x4 2x4x5
torch.einsum('...ij->...ji', a) # 2x3x4
torch.einsum('...i,...i->...', a, b) # 5x2x3 2x3
torch.einsum('...ij,...jk->...ik', a, b) # 2x2x3 3x4
torch.einsum('i...->...', a) # 2x3
torch.einsum('ij,j,jk->ik', a, b, c) # 2x3 3 3x4
torch.einsum('ij,k->', a, b) # 2x3 4
torch.einsum('iij,j->ij', a, b) # 2x2x3 3
torch.einsum('ij,kj->ik', a, b) # 2x3 4x1
torch.einsum('ijx,xkl->klij', a, b) # 2x3x4 4x2x3
torch.einsum('ij,jk->ik', a, b) # 2x0 0x2
torch.einsum(a, [0, 1], b, [1, 2], [0, 2]) # 2x3 3x4
torch.einsum(a, [0, ...], [...]) # 2x3
torch.linalg.multi_dot([a, b, c]) # 2x3 3x4 4x5
torch.linalg.multi_dot([a, b, c, d]) # 5x2 2x7 7x1 1x4
torch.linalg.multi_dot([a, b, c]) # 3 3x4 4
torch.linalg.multi_dot([a, b]) # 3 3
torch.chain_matmul(a, b, c) # 2x9 9x2 2x9
torch.chain_matmul(a) # 2x3
"""

LINALG = """
torch.linalg.cholesky(a) # 3x3 definite
torch.linalg.cholesky(a, upper=True) # 2x2x2 definite complex
torch.linalg.cholesky(a).reshape(-1) # 3x3 definite
torch.linalg.cholesky_ex(a) # 0x3x3
torch.cholesky(a, True) # 2x3x3 definite
torch.cholesky_inverse(a) # 3x3 definite
torch.cholesky_inverse(a, upper=True) # 2x2x2 definite complex
torch.cholesky_solve(b, a) # 3x3 3x2 definite
torch.cholesky_solve(b, a, True) # 2x3x3 3x2 definite complex
torch.linalg.solve_triangular(a, b, upper=True) # 3x3 3x2 definite
torch.linalg.solve_triangular(a, b, upper=False, unitriangular=True) # 2x3x3 3x2 complex
torch.linalg.solve_triangular(a, b, upper=True, left=False) # 3x3 2x3 definite
torch.triangular_solve(b, a) # 3x3 3x2 definite
torch.triangular_solve(b, a, False, True, True) # 3x3 2x3x2 definite complex
torch.linalg.lu(a) # 3x3
torch.linalg.lu(a) # 2x2x3
torch.linalg.lu(a) # 3x2 complex
torch.linalg.lu(a) # 0x3
torch.linalg.lu_factor(a) # 3x3
torch.linalg.lu_factor(a) # 2x4 complex
torch.linalg.lu_factor_ex(a) # 4x2
torch.lu(a) # 2x3x3
torch.lu_unpack(*torch.lu(a)) # 3x3
torch.lu_unpack(*torch.lu(a), unpack_data=False)[0] # 3x2
torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b) # 3x3 3x2
torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b, adjoint=True) # 3x3 3x2 complex
torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b, left=False) # 3x3 2x3
torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b, left=False, adjoint=True) # 3x3 2x3 complex
torch.lu_solve(b, *torch.lu(a)) # 3x3 3x2
torch.linalg.inv(a) # 3x3
torch.linalg.inv(a).flatten() # 2x2x2 complex
torch.linalg.inv(a).view(-1) # 3x3
torch.linalg.inv_ex(a) # 0x0
torch.inverse(a) # 2x3x3
torch.linalg.solve(a, b) # 3x3 3x2
torch.linalg.solve(a, b) # 3x3 3 complex
torch.linalg.solve(a, b) # 2x3x3 2x3
torch.linalg.solve(a, b) # 2x1x3x3 4x3x2
torch.linalg.solve(a, b, left=False) # 3x3 2x3
torch.linalg.solve_ex(a, b) # 3x3 3x2
torch.linalg.tensorinv(a, ind=1) # 4x2x2
torch.linalg.tensorsolve(a, b) # 2x3x6 2x3
torch.linalg.tensorsolve(a, b, dims=(1,)) # 2x6x3 2x3
torch.linalg.det(a) # 3x3
torch.linalg.det(a) # 2x2x2 complex
torch.linalg.det(a) # 1x1
torch.linalg.det(a) # 0x0
torch.linalg.det(a.T) # 3x3
torch.linalg.slogdet(a) # 2x3x3
torch.linalg.slogdet(a)[1] # 3x3 complex
torch.logdet(a) # 3x3 definite
torch.logdet(a) # 3x3 definite complex
torch.linalg.qr(a) # 3x3
torch.linalg.qr(a) # 2x4x2
torch.linalg.qr(a) # 2x4 complex
torch.linalg.qr(a, 'complete')[1] # 4x2
torch.linalg.qr(a, 'r')[1].detach() # 4x2
torch.qr(a, some=False) # 2x3
torch.linalg.householder_product(a, b) # 4x3 2
torch.linalg.householder_product(a, b) # 2x3x3 2x3
torch.linalg.householder_product(a, b) # 3x2 0
torch.orgqr(a, b) # 4x3 3 complex
torch.ormqr(a, b, c) # 3x2 2 3x4
torch.ormqr(a, b, c, left=False) # 3x3 3 2x3 complex
torch.ormqr(a, b, c, transpose=True) # 2x3x3 2x3 2x3x2
torch.geqrf(a.detach()) # 4x3
torch.linalg.svd(a)[1] # 3x4
torch.linalg.svd(a, full_matrices=False) # 3x3
torch.linalg.svd(a, full_matrices=False) # 5x3
torch.linalg.svd(a, full_matrices=False) # 5x4
torch.linalg.svd(a, full_matrices=False) # 2x3x5
torch.linalg.svd(a) # 2x4
torch.linalg.svd(a)[0].abs() # 3x3 complex
torch.linalg.svd(a) # 0x2
torch.linalg.svdvals(a) # 2x3x4
torch.svd(a) # 4x2
torch.svd(a, compute_uv=False) # 3x2
torch.linalg.eigh(a) # 3x3 definite
torch.linalg.eigh(a, UPLO='U') # 2x4x4 definite
torch.linalg.eigh(a) # 6x6 definite
torch.linalg.eigh(a)[1].abs() # 5x5 definite complex
torch.linalg.eigh(a).eigenvectors.detach() # 30x30 definite
torch.linalg.eigvalsh(a) # 2x3x3 definite complex
torch.linalg.eigvals(a).abs() # 3x3
torch.linalg.eig(a)[1].abs() # 3x3 complex
torch.linalg.eig(a)[1] # 3x3
torch.linalg.pinv(a) # 2x3
torch.linalg.pinv(a) # 2x4x2 complex
torch.linalg.pinv(a, hermitian=True) # 3x3 definite
torch.linalg.pinv(a, rtol=0.5) # 3x3
torch.linalg.pinv(a, 0.5) # 2x3x3
torch.linalg.pinv(a) # 3x0
torch.pinverse(a) # 3x2
torch.linalg.lstsq(a, b) # 4x2 4x3
torch.linalg.lstsq(a, b) # 3x3 3x1 complex
torch.linalg.lstsq(a, b) # 2x4 2
torch.linalg.lstsq(a, b, driver='gels') # 4x2 4x3
torch.linalg.lstsq(a, b, driver='gelsd') # 2x4x2 2x4x3
torch.linalg.lstsq(a, b, driver='gelss') # 4x2 4x1 complex
torch.linalg.matrix_rank(a.detach()) # 2x3x4
torch.linalg.matrix_rank(a.detach(), atol=1.0) # 3x3
torch.linalg.ldl_factor(a.detach()) # 3x3 definite
torch.linalg.ldl_solve(*torch.linalg.ldl_factor(a.detach()), b.detach()) # 3x3 3x2 definite
torch.linalg.matrix_exp(a) # 3x3
torch.matrix_exp(a) # 2x2x2 complex
torch.matrix_power(a, 0) # 3x3
torch.matrix_power(a, 1) # 3x3
torch.matrix_power(a, 2) # 2x3x3
torch.matrix_power(a, 3) # 3x3
torch.matrix_power(a, 6) # 3x3
torch.matrix_power(a, -1) # 3x3
torch.matrix_power(a, -3) # 3x3
torch.linalg.vander(a) # 3
torch.linalg.vander(a, N=4) # 2x2
torch.linalg.vander(a, N=3) # scalar
torch.linalg.diagonal(a, offset=1) # 3x4
torch.linalg.norm(a) # 2x3x2
torch.linalg.norm(a, keepdim=True) # 2x3
torch.linalg.norm(a, 1) # 3
torch.linalg.norm(a, 'fro') # 2x3
torch.linalg.norm(a, 'nuc', dim=(0, 2)) # 2x3x2
torch.linalg.norm(a, -2) # 3x3
torch.linalg.norm(a, 3, dim=1, keepdim=True) # 2x3
torch.linalg.matrix_norm(a) # 2x3x3 complex
torch.linalg.matrix_norm(a, 1) # 2x3
torch.linalg.matrix_norm(a, -1, dim=(2, 0)) # 2x3x4
torch.linalg.matrix_norm(a, float('inf'), keepdim=True) # 2x3
torch.linalg.matrix_norm(a, 2, dim=(0, 2), keepdim=True) # 2x3x4
torch.linalg.matrix_norm(a, -2) # 3x3
torch.linalg.matrix_norm(a, 'nuc', keepdim=True) # 2x3
torch.linalg.matrix_norm(a, 2) # 0x2
torch.nuclear_norm(a) # 3x3
torch.linalg.cond(a) # 3x3
torch.linalg.cond(a, -2) # 2x3x4
torch.linalg.cond(a, 'nuc') # 3x3
torch.linalg.cond(a.detach(), 1) # 3x3
torch.linalg.cond(a, 'fro') # 3x3
torch.linalg.cond(a) # 0x0
"""

PRODUCT_REFUSALS = """
torch.mm(torch.ones(2, 3), torch.ones(2, 3))
torch.mm(torch.ones(2), torch.ones(2, 3))
torch.mm(torch.ones(2, 3), torch.ones(3))
torch.mm(torch.ones(2, 3), torch.ones(3, 2).double())
torch.mm(torch.ones(2, 3).bool(), torch.ones(3, 2).bool())
torch.mm(torch.ones(2, 2).half(), torch.ones(2, 2).half())
torch.mm(torch.full((2, 2), 100, dtype=torch.uint8), torch.full((2, 2), 3, dtype=torch.uint8))
torch.mv(torch.ones(2, 3), torch.ones(2))
torch.mv(torch.ones(2), torch.ones(2))
torch.mv(torch.ones(2, 3), torch.ones(3).double())
torch.dot(torch.ones(2), torch.ones(3))
torch.dot(torch.ones(2, 2), torch.ones(2))
torch.dot(torch.ones(2), torch.ones(2).long())
torch.dot(torch.ones(2).bool(), torch.ones(2).bool())
torch.bmm(torch.ones(2, 3, 4), torch.ones(2, 3, 4))
torch.bmm(torch.ones(3, 4), torch.ones(2, 3, 4))
torch.bmm(torch.ones(2, 3, 4), torch.ones(2, 4, 4).double())
torch.matmul(torch.ones(()), torch.ones(2))
torch.matmul(torch.ones(2, 2, 3), torch.ones(2, 2))
torch.matmul(torch.ones(2, 3, 4), torch.ones(3, 4, 5))
torch.matmul(torch.ones(2), 3)
torch.addmm(torch.ones(3, 3), torch.ones(2, 3), torch.ones(3, 2))
torch.addmm(torch.ones(2, 2).double(), torch.ones(2, 3), torch.ones(3, 2))
torch.addmm(torch.ones(2, 2), torch.ones(2, 3, 1), torch.ones(3, 2))
torch.addmm(torch.ones(2, 2).long(), torch.ones(2, 2).long(), torch.ones(2, 2).long(), alpha=0.5)
torch.addmm(torch.ones(2, 2), torch.ones(2, 2), torch.ones(2, 2), alpha=1j)
torch.addmm(torch.full((2, 2), float('nan')), torch.ones(2, 3), torch.ones(3, 2), beta=0)
torch.addmv(torch.ones(3), torch.ones(2, 3), torch.ones(3))
torch.addmv(torch.ones(2), torch.ones(2, 3), torch.ones(3).double())
torch.addr(torch.ones(2, 3), torch.ones(2), torch.ones(2))
torch.addr(torch.ones(2, 3), torch.ones(2, 1), torch.ones(3))
torch.addr(torch.ones(2, 3).long(), torch.ones(2).long(), torch.ones(3).long(), alpha=0.5)
torch.addr(torch.ones(2, 3).bool(), torch.ones(2).bool(), torch.ones(3).bool(), beta=False)
torch.addbmm(torch.ones(3, 5), torch.ones(2, 3, 4), torch.ones(2, 3, 5))
torch.addbmm(torch.ones(3, 5), torch.ones(3, 3, 4), torch.ones(2, 4, 5))
torch.baddbmm(torch.ones(2, 3, 4), torch.ones(2, 3, 4), torch.ones(2, 4, 5))
torch.baddbmm(torch.ones(2, 3, 5).double(), torch.ones(2, 3, 4), torch.ones(2, 4, 5))
torch.outer(torch.ones(2, 2), torch.ones(2))
torch.inner(torch.ones(2), torch.ones(3))
torch.cross(torch.ones(2, 2), torch.ones(2, 2))
torch.cross(torch.ones(2, 3), torch.ones(3))
torch.linalg.cross(torch.ones(2, 3), torch.ones(4, 3))
torch.linalg.cross(torch.ones(2, 2), torch.ones(2, 2))
torch.linalg.vecdot(torch.ones(2, 3), torch.ones(3).double())
torch.linalg.vecdot(torch.ones(3).long(), torch.ones(3).long())
torch.tensordot(torch.ones(2, 3), torch.ones(2, 3), dims=1)
torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), dims=-1)
torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), dims=3)
torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), dims=([0, 0], [1, 1]))
torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), dims=(1, 0))
torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), dims=1.5)
torch.einsum('ij,jk', torch.ones(2, 3), torch.ones(2, 3))
torch.einsum('ij,jk', torch.ones(2, 3))
torch.einsum('ij', torch.ones(2, 3), torch.ones(2, 3))
torch.einsum('ij->ik', torch.ones(2, 3))
torch.einsum('ij->ii', torch.ones(2, 3))
torch.einsum('ijk->i', torch.ones(2, 3))
torch.einsum('i...j...->i', torch.ones(2, 3))
torch.einsum('i..j->i', torch.ones(2, 3))
torch.einsum('ij->..', torch.ones(2, 3))
torch.einsum('i1->i', torch.ones(2, 3))
torch.einsum('ii->i', torch.ones(2, 3))
torch.einsum('...i,...i', torch.ones(2, 3), torch.ones(4, 3))
torch.einsum('ij...->i', torch.ones(2))
torch.einsum('ij')
torch.einsum(3, torch.ones(2))
torch.einsum('i', 3)
torch.einsum(torch.ones(2, 3), [0, 99])
torch.linalg.multi_dot([torch.ones(2, 3)])
torch.linalg.multi_dot([torch.ones(2, 3), torch.ones(2, 3)])
torch.linalg.multi_dot([torch.ones(2, 3, 1), torch.ones(3, 3)])
torch.linalg.multi_dot([torch.ones(2, 3), torch.ones(3), torch.ones(3, 2)])
torch.linalg.multi_dot([torch.ones(2, 3), torch.ones(3, 2).double()])
torch.chain_matmul(torch.ones(2, 3), torch.ones(3))
torch.chain_matmul()
"""

LINALG_REFUSALS = """
torch.linalg.cholesky(torch.ones(2, 3))
torch.linalg.cholesky(torch.ones(3))
torch.linalg.cholesky(torch.ones(2, 2).long())
torch.linalg.cholesky(torch.ones(2, 2).half())
torch.linalg.cholesky(-torch.eye(2))
torch.linalg.cholesky(torch.stack([torch.eye(2), -torch.eye(2)]))
torch.linalg.cholesky(torch.full((2, 2), float('nan')))
torch.cholesky(torch.tensor([[1., 2.], [2., 1.]]))
torch.linalg.cholesky_ex(torch.tensor([[4., 2.], [2., -1.]]))
torch.linalg.cholesky_ex(-torch.eye(2), check_errors=True)
torch.cholesky_inverse(torch.zeros(2, 2))
torch.cholesky_solve(torch.ones(2), torch.eye(2))
torch.cholesky_solve(torch.ones(3, 1), torch.eye(2))
torch.cholesky_solve(torch.ones(2, 1).double(), torch.eye(2))
torch.linalg.qr(torch.ones(2, 2), mode='x')
torch.linalg.qr(torch.ones(2, 0), mode='complete')
torch.geqrf(torch.ones(3))
torch.linalg.svd(torch.full((2, 2), float('nan')))
torch.linalg.svd(torch.ones(2, 2), driver='gesvd')
torch.svd(torch.ones(3))
torch.linalg.eigh(torch.eye(2), UPLO='X')
torch.linalg.eigh(torch.diag(torch.tensor([3., 1., 2.])))
torch.linalg.eigh(torch.full((4, 4), float('nan')))
torch.linalg.eigh(torch.ones(2, 3))
torch.linalg.eig(torch.full((2, 2), float('nan')))
torch.linalg.eig(torch.ones(2, 2).long())
torch.linalg.eigvals(torch.ones(2, 3))
torch.linalg.householder_product(torch.ones(2, 3), torch.ones(2))
torch.linalg.householder_product(torch.ones(3, 2), torch.ones(3))
torch.linalg.householder_product(torch.ones(2, 3, 2), torch.ones(3, 2))
torch.ormqr(torch.ones(3, 2), torch.ones(2), torch.ones(2, 4))
torch.ormqr(torch.ones(3, 2), torch.ones(2), torch.ones(3, 4).double())
torch.linalg.lu_factor(torch.ones(3))
torch.linalg.lu_factor(torch.zeros(2, 2))
torch.linalg.lu_factor(torch.ones(2, 2, 2))
torch.linalg.lu_factor(torch.eye(2), pivot=False)
torch.linalg.lu_factor_ex(torch.zeros(2, 2))
torch.lu(torch.zeros(2, 2), get_infos=True)
torch.lu_unpack(torch.eye(2), torch.tensor([1, 2]))
torch.lu_unpack(torch.eye(2), torch.tensor([1, 5]).int())
torch.linalg.lu_solve(torch.eye(2), torch.tensor([1, 2, 3]).int(), torch.ones(2, 1))
torch.linalg.lu_solve(torch.zeros(2, 2), torch.tensor([1, 2]).int(), torch.ones(2, 1))
torch.lu_solve(torch.ones(3, 1), torch.eye(2), torch.tensor([1, 2]).int())
torch.linalg.inv(torch.ones(2, 3))
torch.linalg.inv(torch.eye(2).half())
torch.linalg.inv(torch.zeros(2, 2))
torch.linalg.inv(torch.stack([torch.eye(2), torch.ones(2, 2)]))
torch.linalg.inv_ex(torch.zeros(2, 2))
torch.linalg.inv_ex(torch.tensor([[1., 2.], [2., 4.]]))
torch.linalg.solve(torch.eye(2), torch.ones(3))
torch.linalg.solve(torch.eye(2), torch.ones(2).double())
torch.linalg.solve(torch.ones(1, 1), torch.ones(1), left=False)
torch.linalg.solve(torch.stack([torch.eye(2), torch.zeros(2, 2)]), torch.ones(2, 2))
torch.linalg.solve(torch.eye(2).expand(3, 2, 2), torch.ones(4, 2, 3))
torch.linalg.solve_ex(torch.zeros(2, 2), torch.ones(2))
torch.linalg.solve_triangular(torch.zeros(2, 2), torch.ones(2, 1), upper=True)
torch.linalg.solve_triangular(torch.eye(2), torch.ones(2, 1))
torch.triangular_solve(torch.ones(2, 1), torch.ones(2, 3))
torch.linalg.det(torch.ones(2, 3))
torch.linalg.det(torch.zeros(0, 0))
torch.det(torch.eye(2).half())
torch.logdet(-torch.eye(3))
torch.slogdet(torch.zeros(2, 2))
torch.linalg.pinv(torch.ones(3))
torch.linalg.pinv(torch.ones(2, 3), rtol=torch.tensor(1j))
torch.linalg.pinv(torch.ones(2, 3), torch.tensor(0.1, requires_grad=True))
torch.linalg.lstsq(torch.ones(3, 2), torch.ones(2, 1))
torch.linalg.lstsq(torch.eye(3), torch.ones(3, 1), driver='x')
torch.linalg.lstsq(torch.eye(3)[:, :2], torch.ones(3), driver='gels')
torch.linalg.ldl_factor(torch.zeros(2, 2))
torch.linalg.ldl_factor_ex(torch.tensor([[0., 1.], [1., 0.]]))
torch.linalg.ldl_solve(torch.eye(2), torch.tensor([1., 2.]), torch.ones(2, 1))
torch.linalg.tensorinv(torch.zeros(4, 2, 2), ind=1)
torch.linalg.tensorinv(torch.ones(2, 3), ind=0)
torch.linalg.tensorsolve(torch.ones(2, 3), torch.ones(2))
torch.matrix_power(torch.ones(2, 3), 2)
torch.matrix_power(torch.zeros(2, 2), -1)
torch.matrix_power(torch.ones(2, 2), 1.5)
torch.matrix_exp(torch.ones(2, 3))
torch.linalg.vander(torch.tensor([True, False]), N=3)
torch.linalg.vander(torch.tensor([2., 3.]), N=1)
torch.linalg.matrix_norm(torch.ones(2, 2), 3)
torch.linalg.matrix_norm(torch.ones(2, 2), 1j)
torch.linalg.matrix_norm(torch.ones(2, 2), dim=(0,))
torch.linalg.matrix_norm(torch.ones(2, 2), dim=(1, -1))
torch.linalg.matrix_norm(torch.ones(2, 2), dim=0)
torch.linalg.matrix_norm(torch.ones(2, 2).double(), dtype=torch.float32)
torch.linalg.matrix_norm(torch.ones(2, 2), 2, dtype=torch.float64)
torch.linalg.matrix_norm(torch.ones(2, 2).half(), 2)
torch.linalg.matrix_norm(torch.ones(0, 2), -2)
torch.linalg.norm(torch.ones(2, 2, 2), 2)
torch.linalg.norm(torch.ones(2, 2), dim=(0, 1, 2))
torch.linalg.norm(torch.ones(2), 'fro')
torch.linalg.cond(torch.zeros(2, 2), 1)
torch.linalg.cond(torch.ones(2, 3), 1.)
torch.linalg.cond(torch.ones(2, 3), 'fro')
torch.linalg.cond(torch.ones(2, 2), 'x')
torch.linalg.matrix_rank(torch.ones(3))
torch.linalg.matrix_rank(torch.eye(2).expand(3, 2, 2), atol=torch.tensor([0.5, 1., 2.]))
torch.linalg.matrix_rank(torch.eye(2), tol=torch.tensor([0.5, 2.]))
"""

CALLS = {"products": PRODUCTS, "linalg": LINALG}
REFUSALS = {"products": PRODUCT_REFUSALS, "linalg": LINALG_REFUSALS}
Leaf = Callable[[Any], Any]
Grad = Callable[..., Any]


def lines(text: str) -> list[str]:
    return [line for line in text.strip().split("\n") if line]


def operands(call: str) -> Iterator[tuple[str, Any]]:
    """The names and float64 (or complex128) arrays of a call."""
    words = call.rpartition(" # ")[2].split()
    shapes = [word for word in words if word not in ("definite", "complex")]
    for number, (name, text) in enumerate(zip("abcdef", shapes, strict=False)):
        shape = () if text == "scalar" else tuple(map(int, text.split("x")))
        count = int(np.prod(shape))
        steps = np.arange(count) + 1.3 * number
        array = (1.5 * np.cos(1.9 * steps + 0.02 * steps**2) + 0.1).reshape(shape)
        if "complex" in words:
            array = array + 1j * np.sin(2.3 * steps + 0.4).reshape(shape)
        if "definite" in words and len(shape) > 1 and shape[-1] == shape[-2]:
            array = array @ array.conj().swapaxes(-1, -2) + np.eye(shape[-1])
        yield name, array


def seed_for(shape: tuple[int, ...], number: int, is_complex: bool) -> Any:
    """The weights of an output's elements."""
    steps = np.arange(int(np.prod(shape))) + number
    weights = np.cos(0.7 * steps + 1)
    return (weights + 1j * np.sin(0.3 * steps) if is_complex else weights).reshape(shape)


def tensors_in(value: Any, kind: type) -> list[Any]:
    if isinstance(value, kind):
        return [value]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in tensors_in(item, kind)]
    return []


def nodes(tensor: Any, depth: int = 3) -> list[str]:
    """The names of a tensor's node and of those before it, along the first edges."""
    found: list[str] = []
    node = tensor.grad_fn
    while node is not None and len(found) < depth:
        found.append(node.name())
        node = next((edge[0] for edge in node.next_functions if edge[0] is not None), None)
    return found


def numbers(tensor: Any) -> list[str]:
    """The elements as text, in the order of the dimensions."""
    values = np.asarray(tensor.detach().resolve_conj().numpy(force=True))
    if values.dtype.kind == "c":
        values = np.stack([values.real, values.imag], -1)
    return [f"{value:.9g}" for value in values.reshape(-1).tolist()]


def answer(call: str, torch: Any, leaf: Leaf, grad: Grad) -> dict[str, Any]:
    """Values, memory orders, nodes, gradients and second derivatives; or the error."""
    names = {name: leaf(array) for name, array in operands(call)}
    try:
        value = eval(call.rpartition(" # ")[0], {"torch": torch, **names})
    except (RuntimeError, IndexError, ValueError, TypeError) as error:
        return {"error": refusal(error)}
    outputs = tensors_in(value, torch.Tensor)
    found: dict[str, Any] = {
        "values": [numbers(tensor) for tensor in outputs],
        "told": [
            [str(tensor.dtype), list(tensor.shape), tensor.is_contiguous(), nodes(tensor)]
            for tensor in outputs
        ],
    }
    leaves = list(names.values())
    wanted = [tensor for tensor in outputs if tensor.requires_grad]
    if not wanted:
        return found
    seeds = [
        torch.tensor(seed_for(tuple(t.shape), k, t.is_complex()), dtype=t.dtype)
        for k, t in enumerate(wanted)
    ]
    try:
        slopes = grad(wanted, leaves, seeds, create_graph=True, allow_unused=True)
        plain = grad(wanted, leaves, seeds, allow_unused=True, retain_graph=True)
    except (RuntimeError, NotImplementedError) as error:
        return found | {"error": refusal(error)}
    found["slopes"] = [None if slope is None else numbers(slope) for slope in slopes]
    found["plain"] = [None if slope is None else numbers(slope) for slope in plain]
    found["slope_nodes"] = [None if s is None else nodes(s, 1) for s in slopes]
    found["bends"] = [
        bend(slope, leaf, grad, torch) for slope, leaf in zip(slopes, leaves, strict=True)
    ]
    return found


def bend(slope: Any, leaf: Any, grad: Grad, torch: Any) -> list[str] | None:
    """The gradient of the sum of a gradient by its own leaf."""
    if slope is None or not slope.requires_grad:
        return None
    ones = [torch.ones_like(slope)]
    (found,) = grad([slope], [leaf], ones, retain_graph=True, allow_unused=True)
    return None if found is None else numbers(found)


def refusal(error: Exception) -> list[str]:
    return [type(error).__name__, str(error).split("\n")[0]]


def told(call: str, torch: Any) -> list[str]:
    """What a call prints, or its error."""
    try:
        return ["", repr(eval(call, {"torch": torch}))]
    except (RuntimeError, IndexError, ValueError, TypeError) as error:
        return refusal(error)
