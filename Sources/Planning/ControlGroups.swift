/// The memory limits of the control groups that a process is in: its own and all above it, of version 1 and 2.
public struct ControlGroups {
    /// /proc/self/cgroup: "4:memory:/job" (version 1) and "0::/job" (version 2).
    let membership: String
    /// /proc/self/mountinfo: where the hierarchies are mounted, and which part of them.
    let mounts: String
    let read: (_ path: String) -> String?

    public init(membership: String, mounts: String, read: @escaping (_ path: String) -> String?) {
        self.membership = membership
        self.mounts = mounts
        self.read = read
    }

    static var own: ControlGroups {
        ControlGroups(
            membership: smallFile("/proc/self/cgroup") ?? "", mounts: smallFile("/proc/self/mountinfo") ?? "",
            read: smallFile)
    }

    public var limits: [MemoryLimit] {
        membership.split(separator: "\n").flatMap { line -> [MemoryLimit] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3 else { return [] }
            let isUnified = fields[0] == "0" && fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains("memory") else { return [] }
            return limits(
                of: fields[2], isUnified: isUnified, file: isUnified ? "memory.max" : "memory.limit_in_bytes")
        }
    }

    private func limits(of group: String, isUnified: Bool, file: String) -> [MemoryLimit] {
        guard let (root, place) = mount(isUnified: isUnified) else { return [] }
        // In a container the mount shows a part of the hierarchy; a group outside of it is seen as the mount itself.
        var inside = root == "/" ? group : group.hasPrefix(root) ? String(group.dropFirst(root.count)) : ""
        if inside.hasPrefix("/..") { inside = "" }
        var names = inside.split(separator: "/")
        var found: [MemoryLimit] = []
        while true {
            let path = ([place] + names.map(String.init)).joined(separator: "/") + "/\(file)"
            // "max", and version 1's largest multiple of a page, mean none.
            if let text = read(path), let bytes = Int(text.filter { !$0.isWhitespace }), bytes < 1 << 60 {
                found.append(MemoryLimit(counting: .resident, bytes: bytes, name: "the control group (\(path))"))
            }
            if names.isEmpty { return found }
            names.removeLast()
        }
    }

    /// Root and mount point of the memory hierarchy. A line: "35 31 0:32 ROOT PLACE options - TYPE source OPTIONS".
    private func mount(isUnified: Bool) -> (root: String, place: String)? {
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3, dash > 4 else { continue }
            let isWanted =
                isUnified
                ? fields[dash + 1] == "cgroup2"
                : fields[dash + 1] == "cgroup" && fields[dash + 3].split(separator: ",").contains("memory")
            if isWanted { return (fields[3], fields[4]) }
        }
        return nil
    }
}
