"""Workers as jobs of a Slurm cluster, and the job that watches over them."""
