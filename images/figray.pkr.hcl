# Machine images with figray installed, so that a node of cluster.yaml works two minutes after it is ordered, not eight.
#   packer init images && packer build -var region=us-east-1 images
# It ends with two image names, ami-...: put them into cluster.yaml as ImageId of the nodes without and with a GPU.
# The images are private, encrypted, and cost 0.05 dollars a GB and month until you deregister them.
packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "~> 1.3"
    }
  }
}

variable "region" {
  type    = string
  default = "us-east-1"
}

locals {
  name = "figray-0.1.0-${formatdate("YYYYMMDD-hhmm", timestamp())}"
  code = ["core", "app", "phantom", "pipelines", "trainers", "tuning"]
  files = ["requirements.lock", "pyproject.toml", "README.md", "LICENSE", "Makefile"]
}

# The images that cluster.yaml begins with.
data "amazon-parameterstore" "cpu" {
  name   = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
  region = var.region
}

data "amazon-parameterstore" "gpu" {
  name   = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id"
  region = var.region
}

source "amazon-ebs" "node" {
  region        = var.region
  instance_type = "c6i.4xlarge" # installs for both: nothing here needs a GPU
  ssh_username  = "ubuntu"
  encrypt_boot  = true
  launch_block_device_mappings {
    device_name           = "/dev/sda1"
    volume_size           = 100
    volume_type           = "gp3"
    delete_on_termination = true
  }
  metadata_options {
    http_tokens = "required"
  }
  tags = {
    project = "figray"
  }
}

build {
  source "amazon-ebs.node" {
    name       = "cpu"
    ami_name   = "${local.name}-cpu"
    source_ami = data.amazon-parameterstore.cpu.value
  }
  source "amazon-ebs.node" {
    name       = "gpu"
    ami_name   = "${local.name}-gpu"
    source_ami = data.amazon-parameterstore.gpu.value
  }
  provisioner "shell" {
    inline = ["mkdir -p /home/ubuntu/figray"]
  }
  provisioner "file" {
    sources     = concat(local.code, local.files)
    destination = "/home/ubuntu/figray/"
  }
  # The commands of cluster.yaml, which find their work done on a node that starts from here.
  provisioner "shell" {
    inline = [
      "cloud-init status --wait >/dev/null || true",
      "sudo apt-get -o DPkg::Lock::Timeout=600 -qq update",
      "sudo apt-get -o DPkg::Lock::Timeout=600 -yqq install make python3.12-venv libgl1 libglib2.0-0t64",
      "sudo touch /usr/share/figray-ready",
      "cd /home/ubuntu/figray && make setup PYTHON=python3.12 LOCK=requirements.lock",
    ]
  }
}
