"""The losses. Equation numbers: SelaVPR++ (the paper); multi-similarity loss: Wang et al., CVPR 2019."""

import torch
from torch.nn import functional as F

# As GSV-Cities and the paper's training frame set them.
ALPHA, BETA, BASE, MINING_MARGIN = 1.0, 50.0, 0.0, 0.1


def multi_similarity(similarity, positive, negative):
    """Eq. (16) with the miner of Wang et al. similarity: [B, M] cosines of the batch against batch and queue;
    positive, negative: [B, M] bool; pairs in neither are left out."""
    with torch.no_grad():
        hardest_negative = similarity.masked_fill(~negative, -1).amax(1, keepdim=True)
        easiest_wrong = similarity.masked_fill(~positive, 2).amin(1, keepdim=True)
        positive = positive & (similarity - MINING_MARGIN < hardest_negative)
        negative = negative & (similarity + MINING_MARGIN > easiest_wrong)
    infinity = torch.finfo(similarity.dtype).min
    pull = F.softplus(torch.logsumexp((-ALPHA * (similarity - BASE)).masked_fill(~positive, infinity), 1)) / ALPHA
    push = F.softplus(torch.logsumexp((BETA * (similarity - BASE)).masked_fill(~negative, infinity), 1)) / BETA
    return (pull * positive.any(1) + push * negative.any(1)).mean()


def straight_through_sign(logits):
    """Eq. (8) forward: -1 below zero, +1 elsewhere; eq. (14) backward: the identity. L2-normalised, as the logits are."""
    signs = torch.where(logits >= 0, 1.0, -1.0) / logits.shape[1] ** 0.5
    return logits + (signs - logits).detach()


def similarity_constraint(logits):
    """Eq. (11): cosines of the codes follow the cosines of the logits, over all pairs of the batch."""
    codes = straight_through_sign(logits)
    return (logits @ logits.T - codes @ codes.T).square().mean()


def region_distillation(student, teacher, mean):
    """1 - cosine of the pooled regions about the teacher's mean of them: what the taught half is made of. Student and teacher
    [B, D], mean [D]."""
    return (1 - F.cosine_similarity(student - mean, teacher - mean, dim=1)).mean()


def map_distillation(student, teacher):
    """1 - cosine between student and teacher maps at every position. Both [B, C, H, W]; the teacher's is standardised."""
    return (1 - F.cosine_similarity(student, teacher, dim=1)).mean()
