// Each collection starts two Postfix instances, a name server, a resolver and the daemon, in namespaces of its own. Its stories
// mostly wait, so the collections run beside one another, and the stories of one collection after one another.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.Collections, MaxThreads = 4)]
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
