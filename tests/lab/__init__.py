"""A cloud on one Linux machine: real ``ray up``, autoscaler and ssh; EC2, S3 and IAM are moto, machines name spaces."""
